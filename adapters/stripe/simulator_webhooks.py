"""Stripe's webhooks in memory: events, how their deliveries misbehave, and their signature."""

import hashlib
import hmac
import random
from copy import deepcopy
from typing import Any, Final, TypeAlias

import httpx
import msgspec

from adapters.stripe import simulator_objects as objects

Json: TypeAlias = dict[str, Any]
API_VERSION: Final = "2023-08-16"


class WebhookPlan(msgspec.Struct, frozen=True, kw_only=True):
    """How deliveries misbehave, and when slow things happen.

    Attributes:
        duplicate_share: This share of events is delivered twice.
        delay_s: Every delivery waits so long.
        late_share: This share of deliveries waits ``late_s`` more.
        late_s: See ``late_share``.
        shuffle: Deliveries that are due together leave in random order.
        seed: Of the randomness.
        settle_s: A SEPA debit, and its refund, is under way so long.
        search_lag_s: Search finds a payment only after so long.
    """

    duplicate_share: float = 0.0
    delay_s: float = 0.0
    late_share: float = 0.0
    late_s: float = 0.0
    shuffle: bool = False
    seed: int = 0
    settle_s: float = 5.0
    search_lag_s: float = 0.0


class Webhooks:
    """The events of one account and their deliveries to one endpoint.

    Attributes:
        plan: How deliveries misbehave.
        events: Everything that happened, oldest first.

    Args:
        url: Where deliveries go; empty for nowhere, the events are kept all the same.
        secret: Signing secret of the endpoint.
    """

    def __init__(self, url: str, secret: str) -> None:
        self.plan = WebhookPlan()
        self.events: list[Json] = []
        self._url = url
        self._secret = secret.encode()
        self._waiting: list[tuple[float, bytes]] = []
        self._random = random.Random(0)  # noqa: S311 - faults that can be repeated

    def configure(self, **plan: Any) -> None:
        """Change the plan from here on; fields that are not named stay."""
        self.plan = msgspec.structs.replace(self.plan, **plan)
        if "seed" in plan:
            self._random = random.Random(self.plan.seed)  # noqa: S311 - the same

    def emit(self, kind: str, thing: Json, cause: Json, now: float) -> None:
        """Keep an event and queue its deliveries."""
        event = {
            "id": objects.new_id("evt"),
            "object": "event",
            "api_version": API_VERSION,
            "created": int(now),
            "data": {"object": deepcopy(thing)},
            "livemode": False,
            "pending_webhooks": int(bool(self._url)),
            "request": cause,
            "type": kind,
        }
        self.events.append(event)
        if not self._url:
            return
        twice = self._random.random() < self.plan.duplicate_share
        for _ in range(1 + twice):
            late = self._random.random() < self.plan.late_share
            at = now + self.plan.delay_s + (self.plan.late_s if late else 0.0)
            self._waiting.append((at, objects.encode(event)))

    def due(self, now: float) -> list[httpx.Request]:
        """The deliveries whose time has come, signed now; each is handed out once."""
        ready = [one for one in self._waiting if one[0] <= now]
        self._waiting = [one for one in self._waiting if one[0] > now]
        ready.sort(key=lambda one: one[0])
        if self.plan.shuffle:
            self._random.shuffle(ready)
        return [self._signed(body, int(now)) for _, body in ready]

    def _signed(self, body: bytes, signed_at: int) -> httpx.Request:
        message = b"%d.%s" % (signed_at, body)
        signature = hmac.new(self._secret, message, hashlib.sha256).hexdigest()
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Stripe-Signature": f"t={signed_at},v1={signature}",
            "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
        }
        return httpx.Request("POST", self._url, headers=headers, content=body)
