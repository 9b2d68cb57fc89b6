"""PayPal: the wallet, what its vault has, and methods of banks, over Orders v2 and Payments v2.

Quirks worth knowing before reading on
- A payment is an order. The payer approves it on a page; then somebody has to complete it, which
  is ``find_payment``, because that is what the hub does when it is told of the approval.
- Orders cannot be searched: one whose id is not known is found by the same request again.
- Amounts are decimal texts, whole in HUF, JPY and TWD.
- The signature covers a CRC-32 of the body, which everybody can collide: what an event says is a
  hint, and the order is read before anything is believed.

Source: developer.paypal.com (README.md lists the pages), read 2026-11.
"""

from adapters.paypal.capabilities import CAPABILITIES
from adapters.paypal.disputes import PayPalDisputes
from adapters.paypal.mandates import PayPalMandates
from adapters.paypal.payments import PayPalPayments
from adapters.paypal.payouts import PayPalPayouts
from adapters.paypal.reports import PayPalReports
from adapters.paypal.settings import Settings
from adapters.paypal.translation import load
from adapters.paypal.webhooks import PayPalWebhooks
from adapters.paypal.wire import login, refused
from gateway.kit.adapter import Adapter

ADAPTER = Adapter(
    product="paypal",
    title="PayPal",
    settings=Settings,
    ports={
        "payments": PayPalPayments,
        "mandates": PayPalMandates,
        "payouts": PayPalPayouts,
        "reports": PayPalReports,
        "disputes": PayPalDisputes,
        **dict.fromkeys(("webhooks", "webhook_keys"), PayPalWebhooks),
    },
    mappings=load,
    login=login,
    refused=refused,
    capabilities=CAPABILITIES,
    readable=frozenset(
        """
        amount authorizations batch_header batch_status capture_id captures code create_time
        currency currency_code custom_id debug_id details error event_type expiration_time
        expires_in field final_capture id intent invoice_id issue items location order_id
        payment_initiator payment_type payout_batch_id payout_item payout_item_id purchase_units
        reason recipient_type reference_id refunds related_ids resource_type response_code
        sender_batch_header sender_batch_id sender_item_id status status_details time_created
        token_type transaction_status update_time usage user_action value
        """.split()
    ),
)
