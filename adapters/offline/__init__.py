"""Payments that no provider collects: transfers in advance, invoices of our own, cash.

Quirks worth knowing before reading on
- Nothing is sent: each verb answers at once with what is known here, and that is PENDING.
- That money came, or went back, a person says (``POST /v1/payments/{payment_id}/received`` and
  ``POST /v1/refunds/{refund_id}/settled``), or a statement of the bank.

Source: Kill Bill's ``__EXTERNAL_PAYMENT__`` is the same idea (docs.killbill.io, read 2026-11).
"""

from adapters.offline.capabilities import CAPABILITIES
from adapters.offline.payments import OfflinePayments
from adapters.offline.settings import Settings
from gateway.kit.adapter import Adapter

ADAPTER = Adapter(
    product="offline",
    title="Offline payments",
    settings=Settings,
    ports={"payments": OfflinePayments},
    capabilities=CAPABILITIES,
    by_hand=True,
)
