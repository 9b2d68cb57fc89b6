"""Stripe's webhooks in memory: events, how their deliveries misbehave, and their signature."""

import hashlib
import hmac
from copy import deepcopy
from typing import Any, Final, TypeAlias

import httpx

from adapters.stripe import simulator_objects as objects
from gateway.kit.deliveries import Deliveries, DeliveryPlan

Json: TypeAlias = dict[str, Any]
API_VERSION: Final = "2023-08-16"


class WebhookPlan(DeliveryPlan, frozen=True, kw_only=True):
    """How deliveries misbehave, and when slow things happen.

    Attributes:
        settle_s: A SEPA debit, and its refund, is under way so long.
        search_lag_s: Search finds a payment only after so long.
    """

    settle_s: float = 5.0
    search_lag_s: float = 0.0


class Webhooks(Deliveries[WebhookPlan, bytes]):
    """The events of one account and their deliveries to one endpoint.

    Attributes:
        events: Everything that happened, oldest first.

    Args:
        url: Where deliveries go; empty for nowhere, the events are kept all the same.
        secret: Signing secret of the endpoint.
    """

    def __init__(self, url: str, secret: str) -> None:
        super().__init__(WebhookPlan())
        self.events: list[Json] = []
        self._url = url
        self._secret = secret.encode()

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
        self.put(objects.encode(event), now)

    def due(self, now: float) -> list[httpx.Request]:
        """The deliveries whose time has come, signed now; each is handed out once."""
        return [self._signed(body, int(now)) for body in self.take(now)]

    def _signed(self, body: bytes, signed_at: int) -> httpx.Request:
        message = b"%d.%s" % (signed_at, body)
        signature = hmac.new(self._secret, message, hashlib.sha256).hexdigest()
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Stripe-Signature": f"t={signed_at},v1={signature}",
            "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
        }
        return httpx.Request("POST", self._url, headers=headers, content=body)
