"""PAYONE Commerce Platform: webhooks. Payments are not here yet.

Quirks worth knowing before reading on
- A delivery names one of several keys; a header that stands twice is refused.
- Before an endpoint is used, a GET with a text asks whether it is ours; the text is sent back.

Source: docs.payone.com (README.md lists the pages), read 2026-11.
"""

from adapters.payone.settings import Settings
from adapters.payone.webhooks import PayoneWebhooks
from gateway.kit.adapter import Adapter

ADAPTER = Adapter(
    product="payone",
    title="PAYONE",
    settings=Settings,
    ports={"webhooks": PayoneWebhooks, "webhook_challenges": PayoneWebhooks},
)
