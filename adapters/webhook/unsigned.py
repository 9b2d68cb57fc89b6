"""Deliveries that nobody signs: they name an object, and the object has to be read back."""

from typing import Final

import msgspec

from adapters.webhook.settings import Settings
from gateway.errors import Rejected
from gateway.kit.signatures.origins import require_origin
from gateway.model.event import ProviderEvent
from gateway.ports.notification import Notification, Trust

UNZER: Final = ("https://api.unzer.com", "https://sbx-api.unzer.com")


def hint(event_id: str, event_type: str, reference: str = "") -> ProviderEvent:
    """An event that says no more than that something has changed."""
    return ProviderEvent(
        event_id=event_id, event_type=event_type, provider_ref=reference, hint=True
    )


def fields_in(body: bytes) -> dict[str, str]:
    """The texts of a JSON object; none where it is not one."""
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}
    members = found.items() if isinstance(found, dict) else ()
    return {key: value for key, value in members if isinstance(value, str)}


def verify_klarna(_settings: Settings, notification: Notification, _now: float) -> Trust:
    """Let in what names an order or a session."""
    read_klarna(notification)
    return Trust.UNSIGNED


def read_klarna(notification: Notification) -> ProviderEvent:
    """A push names an order, or a session of the hosted page, in the query.

    Source: docs.klarna.com on push notifications and on status updates, read 2026-11.
    """
    query = notification.query()
    if order := query.get("klarna_order_id"):
        return hint(f"order:{order}", "push", order)
    session = _named(query.get("sid"))
    return hint(f"session:{session}", "status_update", session)


def verify_mangopay(_settings: Settings, notification: Notification, _now: float) -> Trust:
    """Let in what names a resource."""
    read_mangopay(notification)
    return Trust.UNSIGNED


def read_mangopay(notification: Notification) -> ProviderEvent:
    """A GET with the type and the id of what has changed; ``RessourceId`` is their spelling.

    Source: docs.mangopay.com on hooks, read 2026-11.
    """
    query = notification.query()
    kind, resource = _named(query.get("EventType")), _named(query.get("RessourceId"))
    return hint(f"{kind}:{resource}", kind, resource)


def verify_unzer(_settings: Settings, notification: Notification, _now: float) -> Trust:
    """Let in what is to be read at Unzer's own, and nowhere else."""
    read_unzer(notification)
    return Trust.UNSIGNED


def read_unzer(notification: Notification) -> ProviderEvent:
    """What has changed, by the address at which it can be read.

    Source: docs.unzer.com on webhooks, read 2026-11.
    """
    fields = fields_in(notification.body)
    address, kind = _named(fields.get("retrieveUrl")), fields.get("event", "")
    require_origin(address, UNZER)
    return hint(f"{kind}:{address}", kind, address)


def _named(value: str | None) -> str:
    if not value:
        raise Rejected("The delivery names no object.", code="signature_missing")
    return value
