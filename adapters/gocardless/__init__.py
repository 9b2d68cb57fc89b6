"""GoCardless: webhooks of mandates, payments, refunds and payouts. Payments are not here yet.

Quirks worth knowing before reading on
- Up to 250 unrelated events come in one delivery, in any order.
- A wrong signature is answered with 498.
- Branch on ``details.cause``, never on ``reason_code``, which is the bank's.

Source: developer.gocardless.com (README.md lists the pages), read 2026-11.
"""

from adapters.gocardless.settings import Settings
from adapters.gocardless.webhooks import GoCardlessWebhooks
from gateway.kit.adapter import Adapter

ADAPTER = Adapter(
    product="gocardless",
    title="GoCardless",
    settings=Settings,
    ports={"webhooks": GoCardlessWebhooks},
)
