"""PAYONE Commerce Platform: payments over commerce cases, and their webhooks.

Quirks worth knowing before reading on
- A request is signed with its date, so the login earns a way to sign (``wire.py``).
- There is no idempotency key: references are unique, and what is refused is looked up first.
- One request makes the case, its checkout and the payment; 202 means that the payment failed.
- Amounts have two decimals, always; a payment has three ids: of case, checkout and execution.

Source: API definition 1.61.0 (README.md lists all sources), read 2026-11.
"""

from adapters.payone.capabilities import CAPABILITIES
from adapters.payone.payments import PayonePayments
from adapters.payone.reports import PayoneReports
from adapters.payone.settings import Settings
from adapters.payone.translation import load
from adapters.payone.webhooks import PayoneWebhooks
from adapters.payone.wire import login
from gateway.kit.adapter import Adapter

ADAPTER = Adapter(
    product="payone",
    title="PAYONE",
    settings=Settings,
    ports={
        "payments": PayonePayments,
        "reports": PayoneReports,
        **dict.fromkeys(("webhooks", "webhook_challenges"), PayoneWebhooks),
    },
    mappings=load,
    login=login,
    capabilities=CAPABILITIES,
    readable=frozenset(
        """
        amount authorizationMode checkoutId checkoutStatus collectedAmount commerceCaseId created
        creationDateTime currencyCode errorCode id merchantParameters merchantReference orderType
        paymentEventId paymentExecutionId paymentProductId paymentStatus propertyName type status
        """.split()
    ),
)
