"""PAYONE's webhooks in memory: signed events that carry the payment or the refund.

Source: docs.connect.worldline-solutions.com, webhooks event structure, read 2026-11.
"""

import base64
import hashlib
import hmac
import json
import uuid
from datetime import UTC, datetime
from typing import Any, TypeAlias

import httpx

from adapters.payone.simulator_objects import CheckoutRecord
from gateway.kit.deliveries import Deliveries, DeliveryPlan

Json: TypeAlias = dict[str, Any]


class WebhookPlan(DeliveryPlan, frozen=True, kw_only=True):
    """How deliveries misbehave, and when slow things happen.

    Attributes:
        settle_s: A direct debit is decided after so long.
    """

    settle_s: float = 5.0


class Webhooks(Deliveries[WebhookPlan, httpx.Request]):
    """Deliveries to one endpoint."""

    def __init__(self, url: str, key_id: str, secret: str, merchant_id: str) -> None:
        super().__init__(WebhookPlan())
        self._url = url
        self._key_id = key_id
        self._secret = secret.encode()
        self._merchant_id = merchant_id

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
        self.put(request, now)
