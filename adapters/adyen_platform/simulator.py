"""Adyen's balance platform in memory: transfers to banks and between accounts, signed webhooks.

Written from Adyen's documentation and not from the adapter: nothing is imported from what talks to
Adyen, so that one misreading cannot hide the other. Names of account holders decide what banks do:
``Returned`` sends the money back, ``Failed`` refuses it.

Source: TransferService-v4 of 2026-07-01 and docs.adyen.com/payouts, read 2026-11.
"""

import base64
import hashlib
import hmac
import json
import re
import uuid
from collections import Counter
from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, Final, TypeAlias

import httpx

from gateway.kit.deliveries import Deliveries, DeliveryPlan

Json: TypeAlias = dict[str, Any]

_ORIGIN: Final = "https://balanceplatform-api-test.adyen.com"
_PAGE: Final = 100
_KEY_LIFE_S: Final = 7 * 86_400
_KNOWN: Final = frozenset(
    """
    amount balanceAccountId category counterparty description executionDate paymentInstrumentId
    priorities priority reference referenceForBeneficiary review type ultimateParty
    """.split()
)
_CURRENCIES: Final = frozenset("AUD CAD CHF CZK DKK EUR GBP HKD JPY NOK PLN SEK SGD USD".split())
_TEXT: Final = re.compile(r"[A-Za-z0-9/\-?:().,'+ ]{1,140}")
_CATEGORIES: Final = frozenset({"bank", "internal"})
_PRIORITIES: Final = frozenset({"crossBorder", "fast", "instant", "internal", "regular", "wire"})


class WebhookPlan(DeliveryPlan, frozen=True, kw_only=True):
    """How deliveries misbehave, and when slow things happen.

    Attributes:
        settle_s: A transfer is under way so long.
    """

    settle_s: float = 5.0


class Refusal(Exception):  # noqa: N818 - what Adyen does, not what went wrong here
    """An error answer."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status = status
        self.code = code


class AdyenPlatformSimulator:
    """One balance platform.

    Args:
        webhook_url: Where notifications go; empty for nowhere.
        webhook_key: HMAC key, in hexadecimal.
        api_key: The only one that is let in.
        balance_account: The platform's own.
        plan: Fields of ``WebhookPlan``.
    """

    def __init__(
        self,
        *,
        webhook_url: str = "",
        webhook_key: str = "44" * 32,
        api_key: str = "simulated",
        balance_account: str = "BA00000000000000000000001",
        **plan: Any,
    ) -> None:
        self._url = webhook_url
        self._hmac = bytes.fromhex(webhook_key)
        self._api_key = api_key
        self._own = balance_account
        self._transfers: dict[str, Json] = {}
        self._kept: dict[str, tuple[float, str, int, Json]] = {}
        self._settling: list[tuple[float, Callable[[float], None]]] = []
        self._deliveries: Deliveries[WebhookPlan, bytes] = Deliveries(WebhookPlan())
        self._effects: dict[str, Counter[str]] = {
            name: Counter() for name in ("payout", "transfer", "reversal")
        }
        self.configure(**plan)

    def configure(self, **plan: Any) -> None:
        """Change the plan from here on; fields that are not named stay."""
        self._deliveries.configure(**plan)

    def handle(self, request: httpx.Request, *, now: float) -> httpx.Response:
        """Answer as Adyen does."""
        body = request.read()
        self._settle(now)
        date = {"Date": format_datetime(datetime.fromtimestamp(now, UTC), usegmt=True)}
        try:
            status, content = self._answer(request, body, now)
        except Refusal as refusal:
            status, content = refusal.status, _error(refusal.status, refusal.code)
        return httpx.Response(status, json=content, headers=date, request=request)

    def refuse(self, request: httpx.Request, status: int) -> httpx.Response:
        """The error with this status; nothing happens. 423 is a lock, a 422 that is transient."""
        shown = 422 if status == 423 else status  # noqa: PLR2004 - HTTP statuses
        headers = {"Transient-Error": "true"} if shown != status else {}
        content = _error(shown, "00_000")
        return httpx.Response(shown, json=content, headers=headers, request=request)

    def due(self, *, now: float) -> list[httpx.Request]:
        """The deliveries whose time has come, signed; each is handed out once."""
        self._settle(now)
        return [self._signed(body) for body in self._deliveries.take(now)]

    def effects(self) -> dict[str, dict[str, int]]:
        """How often money moved, by our ids."""
        return {kind: dict(counts) for kind, counts in self._effects.items()}

    def _answer(self, request: httpx.Request, body: bytes, now: float) -> tuple[int, Json]:
        given = request.headers.get("x-api-key", "")
        if not hmac.compare_digest(given.encode(), self._api_key.encode()):
            raise Refusal(401, "00_401")
        path = request.url.path.removeprefix("/btl/v4")
        if request.method == "GET" and path == "/transfers":
            return 200, self._find(request.url.params)
        if request.method == "GET" and (match := re.fullmatch("/transfers/([^/]+)", path)):
            return 200, _visible(self._known(match[1]))
        if request.method == "POST" and path in {"/transfers", "/transfers/cancel"}:
            return self._once(request.headers.get("idempotency-key", ""), path, body, now)
        raise Refusal(404, "00_404")

    def _once(self, key: str, path: str, body: bytes, now: float) -> tuple[int, Json]:
        if len(key) > 64:  # noqa: PLR2004 - documented length
            raise Refusal(422, "01_001")
        print_of = f"{path}:{hashlib.sha256(body).hexdigest()}"
        at, known, status, content = self._kept.get(key, (now - _KEY_LIFE_S, "", 0, {}))
        if key and now - at < _KEY_LIFE_S:
            if known != print_of:
                raise Refusal(422, "01_002")
            return status, content
        given = json.loads(body or b"{}")
        verb = self._cancel if path.endswith("/cancel") else self._create
        status, content = verb(given, now)
        if key:
            self._kept[key] = (now, print_of, status, content)
        return status, content

    def _create(self, given: Json, now: float) -> tuple[int, Json]:
        _check(given)
        source = given.get("balanceAccountId", self._own)
        transfer = {
            "id": uuid.uuid4().hex[:16].upper(),
            "accountHolder": {"id": "AH00000000000000000000001"},
            "amount": given["amount"],
            "balanceAccount": {"id": source},
            "category": given["category"],
            "categoryData": {"type": given["category"]},
            "counterparty": given["counterparty"],
            "createdAt": _moment(now),
            "direction": "outgoing",
            "reason": "pending",
            "reference": given.get("reference", uuid.uuid4().hex[:16].upper()),
            "status": "received",
            "_at": now,
        }
        if "description" in given:
            transfer["description"] = given["description"]
        if given["category"] == "bank":
            transfer["categoryData"]["priority"] = given["priority"]
        self._transfers[transfer["id"]] = transfer
        self._effects[_kind(transfer)][transfer["reference"]] += 1
        self._tell("balancePlatform.transfer.created", transfer, now)
        later = now + self._deliveries.plan.settle_s
        self._settling.append((later, lambda at: self._book(transfer, at)))
        return 202, _visible(transfer)

    def _book(self, transfer: Json, now: float) -> None:
        if transfer["status"] != "received":
            return
        bank = transfer["counterparty"].get("bankAccount", {})
        holder = bank.get("accountHolder", {}).get("fullName", "")
        if holder.startswith("Failed"):
            transfer.update(status="failed", reason="counterpartyAccountNotFound")
        else:
            transfer.update(status="booked", reason="approved")
        self._tell("balancePlatform.transfer.updated", transfer, now)
        if holder.startswith("Returned"):
            later = now + self._deliveries.plan.settle_s
            self._settling.append((later, lambda at: self._return(transfer, at)))

    def _return(self, transfer: Json, now: float) -> None:
        transfer.update(status="returned", reason="counterpartyAccountClosed")
        self._tell("balancePlatform.transfer.updated", transfer, now)

    def _cancel(self, given: Json, now: float) -> tuple[int, Json]:
        for name in given.get("transferIds", ()):
            transfer = self._known(name)
            if transfer["status"] == "received":
                transfer.update(status="cancelled", reason="cancelled")
                self._effects[_kind(transfer)][transfer["reference"]] -= 1
                self._tell("balancePlatform.transfer.updated", transfer, now)
        return 202, {}

    def _find(self, asked: httpx.QueryParams) -> Json:
        if not {"createdSince", "createdUntil", "balanceAccountId"} <= set(asked):
            raise Refusal(422, "30_031")
        since, until = (
            datetime.fromisoformat(asked[name]).timestamp()
            for name in ("createdSince", "createdUntil")
        )
        hits = [
            _visible(one)
            for one in self._transfers.values()
            if since <= one["_at"] <= until
            and one["balanceAccount"]["id"] == asked["balanceAccountId"]
            and one["reference"] == asked.get("reference", one["reference"])
            and one["category"] == asked.get("category", one["category"])
        ]
        if asked.get("sortOrder") == "desc":
            hits.reverse()
        first, size = int(asked.get("cursor", "0")), int(asked.get("limit", "10"))
        if not 1 <= size <= _PAGE:
            raise Refusal(422, "30_031")
        page: Json = {"data": hits[first : first + size]}
        if first + size < len(hits):
            query = asked.set("cursor", str(first + size))
            page["_links"] = {"next": {"href": f"{_ORIGIN}/btl/v4/transfers?{query}"}}
        return page

    def _known(self, transfer_id: str) -> Json:
        if transfer_id not in self._transfers:
            raise Refusal(404, "30_112")
        return self._transfers[transfer_id]

    def _tell(self, kind: str, transfer: Json, now: float) -> None:
        if not self._url:
            return
        event = {
            "data": {**_visible(transfer), "balancePlatform": "Simulated"},
            "environment": "test",
            "timestamp": _moment(now),
            "type": kind,
        }
        self._deliveries.put(json.dumps(event, separators=(",", ":")).encode(), now)

    def _signed(self, body: bytes) -> httpx.Request:
        signature = base64.b64encode(hmac.new(self._hmac, body, hashlib.sha256).digest())
        headers = {
            "Content-Type": "application/json",
            "HmacSignature": signature.decode(),
            "Protocol": "HmacSHA256",
        }
        return httpx.Request("POST", self._url, headers=headers, content=body)

    def _settle(self, now: float) -> None:
        while ready := [one for one in self._settling if one[0] <= now]:
            self._settling = [one for one in self._settling if one[0] > now]
            for at, happen in sorted(ready, key=lambda one: one[0]):
                happen(at)


def _check(given: Json) -> None:
    """Refuse what no transfer can be."""
    amount, category = given.get("amount", {}), given.get("category")
    party = given.get("counterparty", {})
    value = amount.get("value")
    wrong = (
        set(given) - _KNOWN
        or category not in _CATEGORIES
        or not isinstance(value, int)
        or value < 1
        or amount.get("currency") not in _CURRENCIES
        or len(party) != 1
        or not _TEXT.fullmatch(given.get("description", "x"))
        or len(given.get("reference", "")) > 80  # noqa: PLR2004 - documented length
    )
    if wrong:
        raise Refusal(422, "30_031")
    if category == "internal" and "balanceAccountId" not in party:
        raise Refusal(422, "30_081")
    if category == "bank" and given.get("priority") not in _PRIORITIES:
        raise Refusal(422, "30_080")
    bank = party.get("bankAccount")
    if bank is not None and not bank.get("accountHolder", {}).get("fullName"):
        raise Refusal(422, "30_082")


def _kind(transfer: Json) -> str:
    if transfer["category"] == "bank":
        return "payout"
    return "reversal" if "-reversal-" in transfer["reference"] else "transfer"


def _moment(now: float) -> str:
    return datetime.fromtimestamp(int(now), UTC).isoformat()


def _visible(transfer: Json) -> Json:
    return deepcopy({k: v for k, v in transfer.items() if not k.startswith("_")})


def _error(status: int, code: str) -> Json:
    return {
        "type": "https://docs.adyen.com/errors/simulated",
        "errorCode": code,
        "title": "Refused",
        "detail": "Refused by the simulator.",
        "requestId": "1W1UG35QQEBJLHZ8",
        "status": status,
    }
