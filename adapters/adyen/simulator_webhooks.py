"""Adyen's webhooks in memory: notifications, how deliveries misbehave, and their signature.

Source: docs.adyen.com/development-resources/webhooks and /verify-hmac-signatures; Webhooks v1 of
2026-07-01, read 2026-11.
"""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias

import httpx

from gateway.kit.deliveries import Deliveries, DeliveryPlan

Json: TypeAlias = dict[str, Any]

_SIGNED: Final = (
    "pspReference",
    "originalReference",
    "merchantAccountCode",
    "merchantReference",
    "value",
    "currency",
    "eventCode",
    "success",
)


class WebhookPlan(DeliveryPlan, frozen=True, kw_only=True):
    """How deliveries misbehave, and when slow things happen.

    Attributes:
        settle_s: A direct debit is decided after so long.
    """

    settle_s: float = 5.0


class Webhooks(Deliveries[WebhookPlan, bytes]):
    """The notifications of one merchant account and their deliveries to one endpoint.

    Attributes:
        items: Everything that was notified, oldest first.

    Args:
        url: Where deliveries go; empty for nowhere, the items are kept all the same.
        key: HMAC key, in hexadecimal.
    """

    def __init__(self, url: str, key: str, account: str) -> None:
        super().__init__(WebhookPlan())
        self.items: list[Json] = []
        self._url = url
        self._key = bytes.fromhex(key)
        self._account = account

    def notify(self, code: str, fields: Json, now: float, *, success: bool = True) -> None:
        """Keep a notification and queue its deliveries."""
        item = {
            "eventCode": code,
            "eventDate": datetime.fromtimestamp(int(now), UTC).isoformat(),
            "merchantAccountCode": self._account,
            "reason": "",
            "success": "true" if success else "false",
            **fields,
        }
        item["additionalData"] = {
            **fields.get("additionalData", {}),
            "hmacSignature": self._signature(item),
        }
        self.items.append(item)
        if not self._url:
            return
        body = {"live": "false", "notificationItems": [{"NotificationRequestItem": item}]}
        content = json.dumps(body, separators=(",", ":")).encode()
        self.put(content, now)

    def due(self, now: float) -> list[httpx.Request]:
        """The deliveries whose time has come; each is handed out once."""
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "Adyen HttpClient",
        }
        return [
            httpx.Request("POST", self._url, headers=headers, content=each)
            for each in self.take(now)
        ]

    def _signature(self, item: Json) -> str:
        flat = {**item, **item["amount"]}
        text = ":".join(str(flat.get(name, "")) for name in _SIGNED)
        return base64.b64encode(hmac.digest(self._key, text.encode(), hashlib.sha256)).decode()
