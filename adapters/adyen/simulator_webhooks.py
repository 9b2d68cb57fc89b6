"""Adyen's webhooks in memory: notifications, how deliveries misbehave, and their signature.

Source: docs.adyen.com/development-resources/webhooks and /verify-hmac-signatures; Webhooks v1 of
2026-07-01, read 2026-11.
"""

import base64
import hashlib
import hmac
import json
import random
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias

import httpx
import msgspec

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


class WebhookPlan(msgspec.Struct, frozen=True, kw_only=True):
    """How deliveries misbehave, and when slow things happen.

    Attributes:
        duplicate_share: This share of notifications is delivered twice.
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
    """The notifications of one merchant account and their deliveries to one endpoint.

    Attributes:
        plan: How deliveries misbehave.
        items: Everything that was notified, oldest first.

    Args:
        url: Where deliveries go; empty for nowhere, the items are kept all the same.
        key: HMAC key, in hexadecimal.
    """

    def __init__(self, url: str, key: str, account: str) -> None:
        self.plan = WebhookPlan()
        self.items: list[Json] = []
        self._url = url
        self._key = bytes.fromhex(key)
        self._account = account
        self._waiting: list[tuple[float, bytes]] = []
        self._random = random.Random(0)  # noqa: S311 - faults that can be repeated

    def configure(self, **plan: Any) -> None:
        """Change the plan from here on; fields that are not named stay."""
        self.plan = msgspec.structs.replace(self.plan, **plan)
        if "seed" in plan:
            self._random = random.Random(self.plan.seed)  # noqa: S311 - the same

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
        twice = self._random.random() < self.plan.duplicate_share
        for _ in range(1 + twice):
            late = self._random.random() < self.plan.late_share
            at = now + self.plan.delay_s + (self.plan.late_s if late else 0.0)
            self._waiting.append((at, content))

    def due(self, now: float) -> list[httpx.Request]:
        """The deliveries whose time has come; each is handed out once."""
        ready = [one for one in self._waiting if one[0] <= now]
        self._waiting = [one for one in self._waiting if one[0] > now]
        ready.sort(key=lambda one: one[0])
        if self.plan.shuffle:
            self._random.shuffle(ready)
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "Adyen HttpClient",
        }
        return [
            httpx.Request("POST", self._url, headers=headers, content=each) for _, each in ready
        ]

    def _signature(self, item: Json) -> str:
        flat = {**item, **item["amount"]}
        text = ":".join(str(flat.get(name, "")) for name in _SIGNED)
        return base64.b64encode(hmac.digest(self._key, text.encode(), hashlib.sha256)).decode()
