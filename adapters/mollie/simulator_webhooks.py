"""Mollie's webhooks in memory: classic hints, and signed events that carry the object.

Source: docs.mollie.com/reference/webhooks and /reference/webhooks-new, read 2026-11.
"""

import hashlib
import hmac
import random
from typing import Any, Final, TypeAlias

import httpx
import msgspec

from adapters.mollie import simulator_objects as objects
from adapters.mollie.simulator_rules import link

Json: TypeAlias = dict[str, Any]
# Classic webhooks do not report these. Source: docs.mollie.com/docs/handling-payment-status.
_SILENT: Final = frozenset({"open", "pending"})


class WebhookPlan(msgspec.Struct, frozen=True, kw_only=True):
    """How deliveries misbehave, and when slow things happen.

    Attributes:
        duplicate_share: This share of deliveries comes twice.
        delay_s: Every delivery waits so long.
        late_share: This share of deliveries waits ``late_s`` more.
        late_s: See ``late_share``.
        shuffle: Deliveries that are due together leave in random order.
        seed: Of the randomness.
        settle_s: A debit, and every refund, is under way so long.
        capture_s: A capture is pending so long.
        multiple_captures: After a part was captured the rest stays held.
        embedded: Whether events carry the object; else only its id.
    """

    duplicate_share: float = 0.0
    delay_s: float = 0.0
    late_share: float = 0.0
    late_s: float = 0.0
    shuffle: bool = False
    seed: int = 0
    settle_s: float = 5.0
    capture_s: float = 0.0
    multiple_captures: bool = False
    embedded: bool = True


class Webhooks:
    """Deliveries of one profile.

    Attributes:
        plan: How deliveries misbehave.

    Args:
        url: Where events go; empty for nowhere.
        secret: Signing secret of events.
    """

    def __init__(self, url: str, secret: str) -> None:
        self.plan = WebhookPlan()
        self._url = url
        self._secret = secret.encode()
        self._waiting: list[tuple[float, httpx.Request]] = []
        self._random = random.Random(0)  # noqa: S311 - faults that can be repeated

    def configure(self, **plan: Any) -> None:
        """Change the plan from here on; fields that are not named stay."""
        self.plan = msgspec.structs.replace(self.plan, **plan)
        if "seed" in plan:
            self._random = random.Random(self.plan.seed)  # noqa: S311 - the same

    def emit(self, kind: str, thing: Json, payment: objects.PaymentRecord, now: float) -> None:
        """Queue the event, and the hint that something about the payment has changed."""
        if self._url:
            self._queue(self._event(kind, thing, now), now)
        hook = payment.given.get("webhookUrl")
        if hook and kind.partition(".")[2] not in _SILENT:
            self._queue(_hint(hook, payment.id), now)

    def due(self, now: float) -> list[httpx.Request]:
        """The deliveries whose time has come; each is handed out once."""
        ready = [one for one in self._waiting if one[0] <= now]
        self._waiting = [one for one in self._waiting if one[0] > now]
        ready.sort(key=lambda one: one[0])
        if self.plan.shuffle:
            self._random.shuffle(ready)
        return [request for _, request in ready]

    def _queue(self, request: httpx.Request, now: float) -> None:
        twice = self._random.random() < self.plan.duplicate_share
        for _ in range(1 + twice):
            late = self._random.random() < self.plan.late_share
            at = now + self.plan.delay_s + (self.plan.late_s if late else 0.0)
            self._waiting.append((at, request))

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
