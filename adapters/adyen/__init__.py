"""Adyen: payments over Checkout v71, and the webhooks of payments and of platforms.

Quirks worth knowing before reading on
- There is no look-up: what became of a request is told by its repetition with the same key, and
  what became of the money by webhooks alone. Captures, cancels and refunds are only "received".
- Four currencies have other decimals than ISO 4217 (``amounts.py``).
- A redirect may have no PSP reference until the payer has come back.
- Standard notifications sign eight fields, joined by colons that nobody escapes: text can move
  across a colon and the signature still holds. Our references have no colon.
- ``reason``, ``eventDate`` and ``paymentMethod`` are not signed at all.
- One delivery that is not accepted holds up all others to the endpoint.

Source: docs.adyen.com (README.md lists the pages), Checkout v71 of 2026-07-01, read 2026-11.
"""

from adapters.adyen.adjustments import AdyenAdjustments
from adapters.adyen.capabilities import CAPABILITIES
from adapters.adyen.confirmations import AdyenConfirmations
from adapters.adyen.disputes import AdyenDisputes
from adapters.adyen.payments import KEYS_LIVE_S, AdyenPayments
from adapters.adyen.settings import Settings
from adapters.adyen.translation import load
from adapters.adyen.webhooks import AdyenWebhooks
from gateway.kit.adapter import Adapter

ADAPTER = Adapter(
    product="adyen",
    title="Adyen",
    settings=Settings,
    ports={
        "payments": AdyenPayments,
        "adjustments": AdyenAdjustments,
        "confirmations": AdyenConfirmations,
        "disputes": AdyenDisputes,
        "webhooks": AdyenWebhooks,
    },
    mappings=load,
    capabilities=CAPABILITIES,
    claims_taken_first=True,
    keys_live_s=KEYS_LIVE_S,
    readable=frozenset(
        """
        amount available captureDelayHours countryCode currency defenseDocumentTypeCode
        defenseReasonCode disputePspReference errorCode errorType manualCapture merchantAccount
        merchantAccountCode merchantOrderReference merchantReference paymentPspReference
        paymentReference pspReference recurringProcessingModel reference refusalReasonCode
        resultCode shopperInteraction status type value
        """.split()
    ),
)
