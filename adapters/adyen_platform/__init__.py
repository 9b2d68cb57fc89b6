"""Adyen for Platforms: payouts to banks and transfers between balance accounts, Transfers API v4.

Quirks worth knowing before reading on
- Another API than Checkout, with a credential and webhooks of its own; so a system of its own.
- Everything is a transfer: to a bank (``category`` bank) it is a payout here, between balance
  accounts (internal) a transfer, and a reversal is a transfer in the other direction.
- Answers are only that it was received; the webhook, or looking, tells the rest.
- A bank transfer that is ``booked`` has left the balance account; the bank may still send it back.

Source: Adyen's OpenAPI document TransferService-v4 of 2026-07-01; docs.adyen.com/payouts, read
2026-11.
"""

from adapters.adyen_platform.payouts import AdyenPayouts
from adapters.adyen_platform.reports import AdyenPlatformReports
from adapters.adyen_platform.settings import Settings
from adapters.adyen_platform.transfers import AdyenTransfers
from adapters.adyen_platform.translation import load
from adapters.adyen_platform.webhooks import AdyenPlatformWebhooks
from gateway.kit.adapter import Adapter

ADAPTER = Adapter(
    product="adyen_platform",
    title="Adyen for Platforms",
    settings=Settings,
    ports={
        "payouts": AdyenPayouts,
        "reports": AdyenPlatformReports,
        "transfers": AdyenTransfers,
        "webhooks": AdyenPlatformWebhooks,
    },
    mappings=load,
    readable=frozenset(
        """
        amount balanceAccountId category currency data direction errorCode id priority reason
        reference status transferIds type value
        """.split()
    ),
)
