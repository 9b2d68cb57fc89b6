"""GoCardless's webhooks in memory: events, how their deliveries misbehave, and their signature."""

import hashlib
import hmac
from copy import deepcopy
from typing import Any, Final, TypeAlias

import httpx
import msgspec

from adapters.gocardless.simulator_resources import new_id
from gateway.kit.deliveries import Deliveries, DeliveryPlan

Json: TypeAlias = dict[str, Any]
_TOGETHER: Final = 250


class WebhookPlan(DeliveryPlan, frozen=True, kw_only=True):
    """How deliveries misbehave, and when slow things happen.

    Attributes:
        together: So many events go into one delivery.
        submit_s: A payment is handed to the banks after so long.
        settle_s: It is confirmed, or fails, and a refund is paid.
        payout_s: It is paid out.
        return_s: It comes back after all, where its mandate is made for that.
    """

    together: int = _TOGETHER
    submit_s: float = 2.0
    settle_s: float = 5.0
    payout_s: float = 10.0
    return_s: float = 15.0


class Webhooks(Deliveries[WebhookPlan, Json]):
    """The events of one creditor and their deliveries to one endpoint.

    Attributes:
        events: Everything that happened, oldest first.

    Args:
        url: Where deliveries go; empty for nowhere, the events are kept all the same.
        secret: Of the endpoint.
    """

    def __init__(self, url: str, secret: str) -> None:
        super().__init__(WebhookPlan())
        self.events: list[Json] = []
        self._url = url
        self._secret = secret.encode()

    def emit(self, event: Json, now: float) -> None:
        """Keep an event and queue its deliveries."""
        self.events.append(event)
        if not self._url:
            return
        self.put(deepcopy(event), now)

    def due(self, now: float) -> list[httpx.Request]:
        """The deliveries whose time has come, many events in each; each is handed out once."""
        events, size = self.take(now), self.plan.together
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
