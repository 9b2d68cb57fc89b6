"""Webhooks of products that have no adapter: the setting ``scheme`` says how they are proven.

Source: README.md lists the pages of each scheme, read 2026-11.
"""

from adapters.webhook.settings import Settings
from adapters.webhook.webhooks import WebhookReceiver
from gateway.kit.adapter import Adapter

ADAPTER = Adapter(
    product="webhook",
    title="Webhooks of other products",
    settings=Settings,
    ports={
        "webhooks": WebhookReceiver,
        "webhook_keys": WebhookReceiver,
        "webhook_challenges": WebhookReceiver,
    },
)
