"""PayPal: webhooks. Payments are not here yet.

Quirks worth knowing before reading on
- The signature covers a CRC-32 of the body, which everybody can collide: what an event says is a
  hint, and the resource is read before anything is believed.
- The delivery names its certificate by address; only PayPal's own hosts are asked.

Source: developer.paypal.com (README.md lists the pages), read 2026-11.
"""

from adapters.paypal.settings import Settings
from adapters.paypal.webhooks import PayPalWebhooks
from gateway.kit.adapter import Adapter

ADAPTER = Adapter(
    product="paypal",
    title="PayPal",
    settings=Settings,
    ports={"webhooks": PayPalWebhooks, "webhook_keys": PayPalWebhooks},
)
