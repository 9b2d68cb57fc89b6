"""Stripe: cards, wallets, banks' pages and debits over PaymentIntents; Connect and disputes.

Quirks worth knowing before reading on
- Bodies are forms with brackets, answers are JSON; amounts are integers in "the smallest unit",
  which for four currencies is not the ISO unit (``amounts.py``).
- A declined card is HTTP 402 and carries the payment; everything else above 400 is an error.
- The same Idempotency-Key repeats the stored answer, a 500 included; only ``find`` tells more.
- Search lags behind by up to a minute: nothing found is no proof that nothing happened.

Source: docs.stripe.com (README.md lists the pages), schema of 2023-08-16, read 2026-11.
"""

from adapters.stripe.adjustments import StripeAdjustments
from adapters.stripe.capabilities import CAPABILITIES
from adapters.stripe.disputes import StripeDisputes
from adapters.stripe.mandates import StripeMandates
from adapters.stripe.payments import StripePayments
from adapters.stripe.payouts import StripePayouts
from adapters.stripe.refund_cancellations import StripeRefundCancellations
from adapters.stripe.reports import StripeReports
from adapters.stripe.settings import Settings
from adapters.stripe.transfers import StripeTransfers
from adapters.stripe.translation import load
from adapters.stripe.webhooks import StripeWebhooks
from gateway.kit.adapter import Adapter

ADAPTER = Adapter(
    product="stripe",
    title="Stripe",
    settings=Settings,
    ports={
        "payments": StripePayments,
        "mandates": StripeMandates,
        "adjustments": StripeAdjustments,
        "refund_cancellations": StripeRefundCancellations,
        "payouts": StripePayouts,
        "transfers": StripeTransfers,
        "disputes": StripeDisputes,
        "webhooks": StripeWebhooks,
        "reports": StripeReports,
    },
    mappings=load,
    capabilities=CAPABILITIES,
    readable=frozenset(
        """
        amount amount_capturable amount_captured amount_received amount_refunded amount_reversed
        amount_to_capture capture_method captured charge code confirm created currency decline_code
        destination expand failure_code failure_reason has_more id latest_charge limit livemode
        object order_id param payment_id payment_intent payment_method_types payout_id query reason
        refund_id refunded reversal_id reversed starting_after status transfer transfer_group
        transfer_id type
        """.split()
    ),
)
