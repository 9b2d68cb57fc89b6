"""GoCardless's webhooks in memory: events, how their deliveries misbehave, and their signature."""

import hashlib
import hmac
import random
from copy import deepcopy
from typing import Any, Final, TypeAlias

import httpx
import msgspec

from adapters.gocardless.simulator_resources import new_id

Json: TypeAlias = dict[str, Any]
_TOGETHER: Final = 250


class WebhookPlan(msgspec.Struct, frozen=True, kw_only=True):
    """How deliveries misbehave, and when slow things happen.

    Attributes:
        duplicate_share: This share of events is delivered twice.
        delay_s: Every event waits so long.
        late_share: This share of events waits ``late_s`` more.
        late_s: See ``late_share``.
        shuffle: Events that are due together leave in random order.
        seed: Of the randomness.
        together: So many events go into one delivery.
        submit_s: A payment is handed to the banks after so long.
        settle_s: It is confirmed, or fails, and a refund is paid.
        payout_s: It is paid out.
        return_s: It comes back after all, where its mandate is made for that.
    """

    duplicate_share: float = 0.0
    delay_s: float = 0.0
    late_share: float = 0.0
    late_s: float = 0.0
    shuffle: bool = False
    seed: int = 0
    together: int = _TOGETHER
    submit_s: float = 2.0
    settle_s: float = 5.0
    payout_s: float = 10.0
    return_s: float = 15.0


class Webhooks:
    """The events of one creditor and their deliveries to one endpoint.

    Attributes:
        plan: How deliveries misbehave.
        events: Everything that happened, oldest first.

    Args:
        url: Where deliveries go; empty for nowhere, the events are kept all the same.
        secret: Of the endpoint.
    """

    def __init__(self, url: str, secret: str) -> None:
        self.plan = WebhookPlan()
        self.events: list[Json] = []
        self._url = url
        self._secret = secret.encode()
        self._waiting: list[tuple[float, Json]] = []
        self._random = random.Random(0)  # noqa: S311 - faults that can be repeated

    def configure(self, **plan: Any) -> None:
        """Change the plan from here on; fields that are not named stay."""
        self.plan = msgspec.structs.replace(self.plan, **plan)
        if "seed" in plan:
            self._random = random.Random(self.plan.seed)  # noqa: S311 - the same

    def emit(self, event: Json, now: float) -> None:
        """Keep an event and queue its deliveries."""
        self.events.append(event)
        if not self._url:
            return
        twice = self._random.random() < self.plan.duplicate_share
        for _ in range(1 + twice):
            late = self._random.random() < self.plan.late_share
            at = now + self.plan.delay_s + (self.plan.late_s if late else 0.0)
            self._waiting.append((at, deepcopy(event)))

    def due(self, now: float) -> list[httpx.Request]:
        """The deliveries whose time has come, many events in each; each is handed out once."""
        ready = [one for one in self._waiting if one[0] <= now]
        self._waiting = [one for one in self._waiting if one[0] > now]
        ready.sort(key=lambda one: one[0])
        if self.plan.shuffle:
            self._random.shuffle(ready)
        events, size = [event for _, event in ready], self.plan.together
        return [self._signed(events[at : at + size]) for at in range(0, len(events), size)]

    def _signed(self, events: list[Json]) -> httpx.Request:
        body = msgspec.json.encode({"events": events, "meta": {"webhook_id": new_id("WB")}})
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "gocardless-webhook-service/1.1",
            "Origin": "https://api.gocardless.com",
            "Webhook-Signature": hmac.new(self._secret, body, hashlib.sha256).hexdigest(),
        }
        return httpx.Request("POST", self._url, headers=headers, content=body)
