"""Mollie: cards, mandates, bank pages and wallets over the Payments API v2.

Quirks worth knowing before reading on
- Amounts are decimal texts in exactly the decimals of their currency.
- Most methods end on a page: the payment is ``open`` until the payer comes back, and may expire.
- A decline is a payment with status ``failed``, in an answer 201 like any other.
- There is no search: what is not known by Mollie's id is found by paging through the list.
- A classic webhook is a form with an id, without a signature and the same for every change.

Source: docs.mollie.com (README.md lists the pages), read 2026-11.
"""

from adapters.mollie.capabilities import CAPABILITIES
from adapters.mollie.mandates import MollieMandates
from adapters.mollie.payments import MolliePayments
from adapters.mollie.refund_cancellations import MollieRefundCancellations
from adapters.mollie.reports import MollieReports
from adapters.mollie.settings import Settings
from adapters.mollie.translation import load
from adapters.mollie.webhooks import MollieWebhooks
from gateway.kit.adapter import Adapter

ADAPTER = Adapter(
    product="mollie",
    title="Mollie",
    settings=Settings,
    ports={
        "payments": MolliePayments,
        "mandates": MollieMandates,
        "refund_cancellations": MollieRefundCancellations,
        "webhooks": MollieWebhooks,
        "reports": MollieReports,
    },
    mappings=load,
    capabilities=CAPABILITIES,
    readable=frozenset(
        """
        amount amountCaptured amountChargedBack amountRefunded amountRemaining bankReasonCode
        canceledAt captureMode code count createdAt currency entityId expiredAt expiresAt failedAt
        failureReason field from id isCancelable limit method mode order_id paidAt paymentId
        payment_id refund_id resource reversedAt sequenceType status type value
        """.split()
    ),
)
