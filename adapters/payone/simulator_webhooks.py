"""PAYONE's webhooks in memory: signed events that carry the payment or the refund.

Source: docs.connect.worldline-solutions.com, webhooks event structure, read 2026-11.
"""

import base64
import hashlib
import hmac
import json
import random
import uuid
from datetime import UTC, datetime
from typing import Any, TypeAlias

import httpx
import msgspec

from adapters.payone.simulator_objects import CheckoutRecord

Json: TypeAlias = dict[str, Any]


class WebhookPlan(msgspec.Struct, frozen=True, kw_only=True):
    """How deliveries misbehave, and when slow things happen.

    Attributes:
        duplicate_share: This share of deliveries comes twice.
        delay_s: Every delivery waits so long.
        late_share: This share of deliveries waits ``late_s`` more.
        late_s: See ``late_share``.
        shuffle: Deliveries that are due together leave in random order.
        seed: Of the randomness.
        settle_s: A direct debit is decided after so long.
    """

    duplicate_share: float = 0.0
    delay_s: float = 0.0
    late_share: float = 0.0
    late_s: float = 0.0
    shuffle: bool = False
    seed: int = 0
    settle_s: float = 5.0


class Webhooks:
    """Deliveries to one endpoint.

    Attributes:
        plan: How deliveries misbehave.
    """

    def __init__(self, url: str, key_id: str, secret: str, merchant_id: str) -> None:
        self.plan = WebhookPlan()
        self._url = url
        self._key_id = key_id
        self._secret = secret.encode()
        self._merchant_id = merchant_id
        self._waiting: list[tuple[float, httpx.Request]] = []
        self._random = random.Random(0)  # noqa: S311 - faults that can be repeated

    def configure(self, **plan: Any) -> None:
        """Change the plan from here on; fields that are not named stay."""
        self.plan = msgspec.structs.replace(self.plan, **plan)
        if "seed" in plan:
            self._random = random.Random(self.plan.seed)  # noqa: S311 - the same

    def emit(
        self,
        kind: str,
        record: CheckoutRecord,
        now: float,
        *,
        units: int | None = None,
        status: str = "",
    ) -> None:
        """Queue what is told of a payment."""
        self._queue(kind, {"payment": record.payment(units, status)}, now)

    def emit_refund(self, record: CheckoutRecord, money: Json, reference: str, now: float) -> None:
        """Queue what is told of a refund."""
        self._queue("refund.refunded", {"refund": record.refund(money, reference)}, now)

    def due(self, now: float) -> list[httpx.Request]:
        """The deliveries whose time has come; each is handed out once."""
        ready = [one for one in self._waiting if one[0] <= now]
        self._waiting = [one for one in self._waiting if one[0] > now]
        ready.sort(key=lambda one: one[0])
        if self.plan.shuffle:
            self._random.shuffle(ready)
        return [request for _, request in ready]

    def _queue(self, kind: str, thing: Json, now: float) -> None:
        if not self._url:
            return
        content = {
            "apiVersion": "v1",
            "id": str(uuid.uuid4()),
            "created": datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds"),
            "merchantId": self._merchant_id,
            "type": kind,
            **thing,
        }
        body = json.dumps(content, separators=(",", ":")).encode()
        digest = hmac.new(self._secret, body, hashlib.sha256).digest()
        headers = {
            "Content-Type": "application/json",
            "X-GCS-Signature": base64.b64encode(digest).decode(),
            "X-GCS-KeyId": self._key_id,
        }
        request = httpx.Request("POST", self._url, headers=headers, content=body)
        twice = self._random.random() < self.plan.duplicate_share
        for _ in range(1 + twice):
            late = self._random.random() < self.plan.late_share
            at = now + self.plan.delay_s + (self.plan.late_s if late else 0.0)
            self._waiting.append((at, request))
