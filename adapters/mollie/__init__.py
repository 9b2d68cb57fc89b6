"""Mollie: webhooks, classic and next generation. Payments are not here yet.

Quirks worth knowing before reading on
- A classic webhook is a form with an id, without a signature and the same for every change.
- An unknown id is answered like a known one, so that nobody can try which ids there are.

Source: docs.mollie.com (README.md lists the pages), read 2026-11.
"""

from adapters.mollie.settings import Settings
from adapters.mollie.webhooks import MollieWebhooks
from gateway.kit.adapter import Adapter

ADAPTER = Adapter(
    product="mollie",
    title="Mollie",
    settings=Settings,
    ports={"webhooks": MollieWebhooks},
)
