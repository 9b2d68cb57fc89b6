"""Mollie's webhooks in memory: classic hints, and signed events that carry the object.

Source: docs.mollie.com/reference/webhooks and /reference/webhooks-new, read 2026-11.
"""

import hashlib
import hmac
from typing import Any, Final, TypeAlias

import httpx

from adapters.mollie import simulator_objects as objects
from adapters.mollie.simulator_rules import link
from gateway.kit.deliveries import Deliveries, DeliveryPlan

Json: TypeAlias = dict[str, Any]
# Classic webhooks do not report these. Source: docs.mollie.com/docs/handling-payment-status.
_SILENT: Final = frozenset({"open", "pending"})


class WebhookPlan(DeliveryPlan, frozen=True, kw_only=True):
    """How deliveries misbehave, and when slow things happen.

    Attributes:
        settle_s: A debit, and every refund, is under way so long.
        capture_s: A capture is pending so long.
        multiple_captures: After a part was captured the rest stays held.
        embedded: Whether events carry the object; else only its id.
    """

    settle_s: float = 5.0
    capture_s: float = 0.0
    multiple_captures: bool = False
    embedded: bool = True


class Webhooks(Deliveries[WebhookPlan, httpx.Request]):
    """Deliveries of one profile.

    Args:
        url: Where events go; empty for nowhere.
        secret: Signing secret of events.
    """

    def __init__(self, url: str, secret: str) -> None:
        super().__init__(WebhookPlan())
        self._url = url
        self._secret = secret.encode()

    def emit(self, kind: str, thing: Json, payment: objects.PaymentRecord, now: float) -> None:
        """Queue the event, and the hint that something about the payment has changed."""
        if self._url:
            self.put(self._event(kind, thing, now), now)
        hook = payment.given.get("webhookUrl")
        if hook and kind.partition(".")[2] not in _SILENT:
            self.put(_hint(hook, payment.id), now)

    def _event(self, kind: str, thing: Json, now: float) -> httpx.Request:
        event_id = objects.new_id("event")
        content = {
            "resource": "event",
            "id": event_id,
            "type": kind,
            "entityId": thing["id"],
            "createdAt": objects.moment(now),
            "_embedded": {"entity": thing} if self.plan.embedded else {},
            "_links": {
                "self": link(f"{objects.API}/events/{event_id}"),
                "documentation": link(
                    "https://docs.mollie.com/reference/webhooks-new", "text/html"
                ),
                "entity": thing["_links"]["self"],
            },
        }
        body = objects.encode(content)
        signature = hmac.new(self._secret, body, hashlib.sha256).hexdigest()
        headers = {
            "Content-Type": "application/json",
            "X-Mollie-Signature": f"sha256={signature}",
            "User-Agent": "Mollie HTTP client",
        }
        return httpx.Request("POST", self._url, headers=headers, content=body)


def _hint(url: str, payment_id: str) -> httpx.Request:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    return httpx.Request("POST", url, headers=headers, content=f"id={payment_id}".encode())
