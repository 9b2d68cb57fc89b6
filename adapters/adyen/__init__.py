"""Adyen: webhooks of payments and of platforms. Payments are not here yet.

Quirks worth knowing before reading on
- Standard notifications sign eight fields, joined by colons that nobody escapes: text can move
  across a colon and the signature still holds. Keep colons out of references.
- ``reason``, ``eventDate`` and ``paymentMethod`` are not signed at all.
- One delivery that is not accepted holds up all others to the endpoint.

Source: docs.adyen.com (README.md lists the pages), read 2026-11.
"""

from adapters.adyen.settings import Settings
from adapters.adyen.webhooks import AdyenWebhooks
from gateway.kit.adapter import Adapter

ADAPTER = Adapter(
    product="adyen",
    title="Adyen",
    settings=Settings,
    ports={"webhooks": AdyenWebhooks},
)
