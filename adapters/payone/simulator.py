"""PAYONE in memory: commerce cases, executions, unique references, signed requests, webhooks.

Written from PAYONE's documents and not from the adapter: nothing is imported from what talks to
PAYONE, so that one misreading cannot hide the other.

Source: API definition 1.61.0; PCP-server-nodeJS-SDK (``RequestHeaderGenerator``), read 2026-11.
"""

import json
import re
import uuid
from collections import Counter
from collections.abc import Callable
from typing import Any, Final, TypeAlias

import httpx

from adapters.payone import simulator_checks as checks
from adapters.payone.simulator_errors import Refusal
from adapters.payone.simulator_objects import CheckoutRecord
from adapters.payone.simulator_webhooks import Webhooks

Json: TypeAlias = dict[str, Any]

_CASES: Final = "/commerce-cases"
_CHECKOUT: Final = f"{_CASES}/([^/]+)/checkouts/([^/]+)"
_EXECUTION: Final = f"{_CHECKOUT}/payment-executions/([^/]+)"


class PayoneSimulator:
    """One merchant.

    Args:
        webhook_url: Where deliveries go; empty for nowhere.
        webhook_key_id: Named in each delivery.
        webhook_secret: Signs them.
        merchant_id: The only merchant there is.
        api_key_id: The only key that is let in.
        api_secret: Its secret.
        plan: Fields of ``WebhookPlan``.
    """

    def __init__(
        self,
        *,
        webhook_url: str = "",
        webhook_key_id: str = "simulated",
        webhook_secret: str = "simulated",  # noqa: S107 - invented, opens nothing
        merchant_id: str = "simulated",
        api_key_id: str = "simulated",
        api_secret: str = "simulated",  # noqa: S107 - the same
        **plan: Any,
    ) -> None:
        self._webhooks = Webhooks(webhook_url, webhook_key_id, webhook_secret, merchant_id)
        self._root = f"/v1/{merchant_id}"
        self._key = (api_key_id, api_secret)
        self._checkouts: dict[tuple[str, str], CheckoutRecord] = {}
        self._used: set[str] = set()
        self._settling: list[tuple[float, CheckoutRecord]] = []
        self._effects: dict[str, Counter[str]] = {
            "charge": Counter(),
            "authorisation": Counter(),
            "refund": Counter(),
        }
        self.configure(**plan)
        self._routes: list[tuple[str, str, Callable[..., tuple[int, Json]]]] = [
            ("POST", _CASES, self._make),
            ("GET", "/checkouts", self._list),
            ("GET", _CHECKOUT, self._show),
            ("POST", f"{_EXECUTION}/capture", self._capture),
            ("POST", f"{_EXECUTION}/cancel", self._cancel),
            ("POST", f"{_EXECUTION}/refund", self._refund),
        ]

    # What the world outside calls.

    def configure(self, **plan: Any) -> None:
        """Change the plan from here on; fields that are not named stay."""
        self._webhooks.configure(**plan)

    def handle(self, request: httpx.Request, *, now: float) -> httpx.Response:
        """Answer as PAYONE does."""
        self._settle(now)
        try:
            checks.admit(request, *self._key, now)
            status, content = self._answer(request, now)
        except Refusal as refusal:
            return _refused(request, refusal)
        return httpx.Response(status, json=content, request=request)

    def refuse(self, request: httpx.Request, status: int) -> httpx.Response:
        """The error with this status; nothing happens."""
        return _refused(request, Refusal(status, "50001000"))

    def due(self, *, now: float) -> list[httpx.Request]:
        """The deliveries whose time has come; each is handed out once."""
        self._settle(now)
        return self._webhooks.take(now)

    def effects(self) -> dict[str, dict[str, int]]:
        """How often money was taken, reserved and given back, by our references."""
        return {kind: dict(counts) for kind, counts in self._effects.items()}

    def complete(self, reference: str, *, succeeds: bool, now: float) -> None:
        """The payer does what the page asks."""
        record = self._named(reference)
        if record.status != "REDIRECTED":
            raise ValueError("nothing is asked of this payer")
        self._decide(record, succeeds=succeeds, now=now)

    def charge_back(self, reference: str, units: int, *, now: float) -> None:
        """The payer's bank takes money back."""
        record = self._named(reference)
        record.taken += units
        record.add("CHARGEBACK", "CHARGEBACKED", units, now, returnReason="AC04")
        self._webhooks.emit("payment.chargebacked", record, now, status="CHARGEBACKED")

    def reverse(self, reference: str, *, now: float) -> None:
        """The bank gives it back after all."""
        record = self._named(reference)
        units, record.taken = record.taken, 0
        record.add("CHARGEBACK_REVERSAL", "CHARGEBACK_REVERSED", units, now)
        self._webhooks.emit(
            "payment.chargeback_reversed", record, now, status="CHARGEBACK_REVERSED"
        )

    # Requests.

    def _answer(self, request: httpx.Request, now: float) -> tuple[int, Json]:
        for method, pattern, verb in self._routes:
            match = re.fullmatch(re.escape(self._root) + pattern, request.url.path)
            if match and method == request.method:
                if method == "GET":
                    return verb(*match.groups(), request.url.params)
                return verb(*match.groups(), checks.read(request), now)
        raise Refusal(404, "50001001")

    def _make(self, body: Json, now: float) -> tuple[int, Json]:
        method = checks.check_case(body)
        record = CheckoutRecord(body, method, now)
        self._checkouts[record.case, record.id] = record
        if record.payment_reference in self._used:
            return 202, record.made(error=(400, "50001100", "merchantReference"))
        outcome = checks.outcome(record.input)
        if outcome == "unknown":
            return 202, record.made(error=(400, "50001130", "paymentProcessingToken"))
        record.execution = str(uuid.uuid4())
        if outcome == "declined":
            record.add(record.kind, "REJECTED", record.units, now)
            self._webhooks.emit("payment.rejected", record, now)
            return 202, record.made(error=(402, "30591001", ""))
        self._used.add(record.payment_reference)
        if method == "redirect":
            record.add(record.kind, "REDIRECTED", record.units, now)
            self._webhooks.emit("payment.redirected", record, now)
        elif method == "debit":
            record.add(record.kind, "CAPTURE_REQUESTED", record.units, now)
            self._webhooks.emit("payment.capture_requested", record, now)
            self._settling.append((now + self._webhooks.plan.settle_s, record))
        else:
            self._decide(record, succeeds=True, now=now)
        return 201, record.made()

    def _list(self, query: httpx.QueryParams) -> tuple[int, Json]:
        checks.check_query(query)
        wanted = query.get("merchantReference", "")
        every = [one for one in self._checkouts.values() if wanted in {"", one.reference}]
        taken = int(query.get("fromChargebackAmount", 0))
        start, end = query.get("fromDate", ""), query.get("toDate", "9")
        # Times of one form are in the order of their texts.
        shown = [
            found
            for one in reversed(every)
            if one.taken >= taken and start <= (found := one.shown())["creationDateTime"] <= end
        ]
        offset, size = int(query.get("offset", 0)), int(query.get("size", 25))
        return 200, {"numberOfCheckouts": len(shown), "checkouts": shown[offset : offset + size]}

    def _show(self, case: str, checkout: str, _query: httpx.QueryParams) -> tuple[int, Json]:
        return 200, self._known(case, checkout).shown()

    def _capture(
        self, case: str, checkout: str, execution: str, body: Json, now: float
    ) -> tuple[int, Json]:
        record = self._known(case, checkout, execution)
        checks.check_capture(body)
        reference = body.get("references", {}).get("merchantReference", "")
        record.claim("CAPTURE", reference)
        if record.status != "PENDING_CAPTURE":
            raise Refusal(400, "50001110")
        units = body.get("amount", record.open)
        if units > record.open:
            raise Refusal(400, "50001111", "amount")
        record.collected += units
        record.add("CAPTURE", "CAPTURED", units, now, merchantReference=reference)
        self._effects["charge"][record.reference] += 1
        self._webhooks.emit("payment.captured", record, now, units=units, status="CAPTURED")
        output = {"amountOfMoney": record.money(units), "references": body.get("references", {})}
        return 201, {"captureOutput": output, "status": "CAPTURED", "id": record.payment_id}

    def _cancel(
        self, case: str, checkout: str, execution: str, body: Json, now: float
    ) -> tuple[int, Json]:
        record = self._known(case, checkout, execution)
        checks.check_cancel(body, secured=record.secured)
        if record.status not in {"PENDING_CAPTURE", "REDIRECTED", "CAPTURE_REQUESTED"}:
            raise Refusal(402, "50001120")
        units, record.cancelled = record.open, record.open
        record.add("REVERSAL", "CANCELLED", units, now)
        self._webhooks.emit("payment.cancelled", record, now)
        return 200, {"payment": record.payment()}

    def _refund(
        self, case: str, checkout: str, execution: str, body: Json, now: float
    ) -> tuple[int, Json]:
        record = self._known(case, checkout, execution)
        checks.check_refund(body)
        money = body.get("amountOfMoney") or record.money(record.left)
        reference = body.get("references", {}).get("merchantReference", "")
        record.claim("REFUND", reference)
        if money["currencyCode"] != record.currency or money["amount"] > record.left:
            raise Refusal(400, "50001140", "amountOfMoney")
        record.given_back += money["amount"]
        record.add("REFUND", "REFUNDED", money["amount"], now, merchantReference=reference)
        self._effects["refund"][reference] += 1
        self._webhooks.emit_refund(record, money, reference, now)
        return 201, record.refund(money, reference)

    # What becomes of a payment.

    def _decide(self, record: CheckoutRecord, *, succeeds: bool, now: float) -> None:
        if not succeeds:
            record.become("REJECTED")
            self._used.discard(record.payment_reference)
            self._webhooks.emit("payment.rejected", record, now)
            return
        status = "PENDING_CAPTURE" if record.held else "CAPTURED"
        if record.events:
            record.become(status)
        else:
            record.add(record.kind, status, record.units, now)
        if record.held:
            self._effects["authorisation"][record.reference] += 1
            self._webhooks.emit("payment.pending_capture", record, now)
            return
        record.collected = record.units
        self._effects["charge"][record.reference] += 1
        self._webhooks.emit("payment.captured", record, now)

    def _settle(self, now: float) -> None:
        ready = [one for one in self._settling if one[0] <= now]
        self._settling = [one for one in self._settling if one[0] > now]
        for at, record in ready:
            if record.status == "CAPTURE_REQUESTED":
                self._decide(record, succeeds=checks.pays(record.input), now=at)

    def _named(self, reference: str) -> CheckoutRecord:
        every = self._checkouts.values()
        return next(one for one in every if one.reference == reference and one.execution)

    def _known(self, case: str, checkout: str, execution: str = "") -> CheckoutRecord:
        record = self._checkouts.get((case, checkout))
        if record is None or execution not in {"", record.execution}:
            raise Refusal(404, "50001002")
        return record


def _refused(request: httpx.Request, refusal: Refusal) -> httpx.Response:
    """An error as PAYONE writes it."""
    content = {"errorId": str(uuid.uuid4()), "errors": [refusal.shown()]}
    body = json.dumps(content).encode()
    headers = {"Content-Type": "application/json"}
    return httpx.Response(refusal.status, headers=headers, content=body, request=request)
