"""The simulated PayPal's payouts: batches of receivers, and what becomes of each.

What a receiver does is in the address: ``unclaimed@…`` has no wallet, ``blocked@…`` may not take
money; everybody else is paid after a while.

Source: payments_payouts_batch_v1 of 2024-02 and developer.paypal.com/payouts, read 2026-11.
"""

import functools
import uuid
from collections import Counter
from collections.abc import Callable
from copy import deepcopy
from typing import Any, Final, TypeAlias

from adapters.paypal import simulator_rules as rules
from adapters.paypal.simulator_rules import Refusal
from adapters.paypal.simulator_webhooks import moment

Json: TypeAlias = dict[str, Any]
Verb: TypeAlias = Callable[..., tuple[int, Json | None]]

PATH: Final = "/v1/payments/payouts"
_API: Final = "https://api-m.sandbox.paypal.com"
_ID_LIFE_S: Final = 30 * 86_400
_RECEIVERS: Final = frozenset({"EMAIL", "PHONE", "PAYPAL_ID"})
_EVENTS: Final = {
    "SUCCESS": "SUCCEEDED",
    "UNCLAIMED": "UNCLAIMED",
    "RETURNED": "RETURNED",
    "FAILED": "FAILED",
    "BLOCKED": "BLOCKED",
}


class Payouts:
    """The payouts of one account.

    Args:
        emit: Reports a thing: kind of event, thing, time.
        later: Does something after a while.
        effects: How often money left, by our ids.
    """

    def __init__(
        self,
        emit: Callable[[str, Json, float], None],
        later: Callable[[float, Callable[[float], None]], None],
        effects: dict[str, Counter[str]],
    ) -> None:
        self._emit = emit
        self._later = later
        self._effects = effects
        self._batches: dict[str, Json] = {}
        self.routes: list[tuple[str, str, Verb]] = [
            ("POST", PATH, self._create),
            ("GET", f"{PATH}/{{}}", self._show),
            ("GET", f"{PATH}-item/{{}}", self._show_item),
            ("POST", f"{PATH}-item/{{}}/cancel", self._cancel),
        ]

    def give_back(self, batch_id: str, *, now: float) -> None:
        """Nobody claimed it for 30 days."""
        item = self._batches[batch_id]["items"][0]
        self._become(item, "RETURNED", now)

    def _create(self, _request: Any, given: Json, now: float) -> tuple[int, Json]:
        header, items = given.get("sender_batch_header"), given.get("items")
        if not isinstance(header, dict) or not isinstance(items, list) or not items:
            raise Refusal(400, "MISSING_REQUIRED_PARAMETER", "items")
        name = header.get("sender_batch_id", "")
        for known in self._batches.values():
            given_before = known["header"]["sender_batch_header"].get("sender_batch_id")
            if name and name == given_before and now - known["at"] < _ID_LIFE_S:
                raise Refusal(400, "DUPLICATE_BATCH", known["header"]["payout_batch_id"])
        batch_id = uuid.uuid4().hex[:13].upper()
        shown = [self._item(one, batch_id, header, now) for one in items]
        batch: Json = {
            "at": now,
            "header": {
                "payout_batch_id": batch_id,
                "batch_status": "PENDING",
                "time_created": moment(now),
                "sender_batch_header": header,
                "funding_source": "BALANCE",
            },
            "items": shown,
        }
        self._batches[batch_id] = batch
        for item in shown:
            self._effects["payout"][item["payout_item"].get("sender_item_id", "")] += 1
            self._later(now, functools.partial(self._settle, batch, item))
        head = {name: value for name, value in batch["header"].items() if name != "funding_source"}
        return 201, {"batch_header": deepcopy(head), "links": [_link(batch_id)]}

    def _item(self, given: Json, batch_id: str, header: Json, now: float) -> Json:
        amount = given.get("amount", {})
        rules.units(
            {"currency_code": amount.get("currency"), "value": amount.get("value")}, "items/amount"
        )
        kind = given.get("recipient_type", header.get("recipient_type", "EMAIL"))
        receiver = given.get("receiver", "")
        if kind not in _RECEIVERS or not receiver or (kind == "EMAIL") != ("@" in receiver):
            raise Refusal(400, "VALIDATION_ERROR", "items[0].receiver")
        return {
            "payout_item_id": uuid.uuid4().hex[:13].upper(),
            "transaction_id": uuid.uuid4().hex[:17].upper(),
            "transaction_status": "PENDING",
            "payout_item_fee": {"currency": "USD", "value": "0.25"},
            "payout_batch_id": batch_id,
            "payout_item": {"recipient_wallet": "PAYPAL", **given, "recipient_type": kind},
            "time_processed": moment(now),
        }

    def _settle(self, batch: Json, item: Json, now: float) -> None:
        receiver = item["payout_item"]["receiver"]
        become = {"unclaimed": "UNCLAIMED", "blocked": "BLOCKED"}
        batch["header"]["batch_status"] = "SUCCESS"
        if item["transaction_status"] == "PENDING":
            self._become(item, become.get(receiver.partition("@")[0], "SUCCESS"), now)

    def _become(self, item: Json, status: str, now: float) -> None:
        item["transaction_status"] = status
        if status == "BLOCKED":
            message = "The receiver may not take money."
            item["errors"] = {"name": "RECEIVER_ACCOUNT_LOCKED", "message": message, "debug_id": ""}
        sender = self._batches[item["payout_batch_id"]]["header"]["sender_batch_header"]
        resource = {**deepcopy(item), "sender_batch_id": sender.get("sender_batch_id", "")}
        self._emit(f"PAYMENT.PAYOUTS-ITEM.{_EVENTS[status]}", resource, now)

    def _show(self, batch_id: str, *_: Any) -> tuple[int, Json]:
        if batch_id not in self._batches:
            raise Refusal(404, "INVALID_RESOURCE_ID")
        batch = self._batches[batch_id]
        shown = {"batch_header": batch["header"], "items": batch["items"]}
        return 200, deepcopy({**shown, "links": [_link(batch_id)]})

    def _show_item(self, item_id: str, *_: Any) -> tuple[int, Json]:
        return 200, deepcopy(self._known(item_id))

    def _cancel(self, item_id: str, _request: Any, _given: Json, now: float) -> tuple[int, Json]:
        item = self._known(item_id)
        if item["transaction_status"] != "UNCLAIMED":
            raise Refusal(400, "ITEM_ALREADY_CANCELLED_OR_COMPLETED", "payout_item_id")
        self._become(item, "RETURNED", now)
        return 200, deepcopy(item)

    def _known(self, item_id: str) -> Json:
        for batch in self._batches.values():
            for item in batch["items"]:
                if item["payout_item_id"] == item_id:
                    found: Json = item
                    return found
        raise Refusal(404, "INVALID_RESOURCE_ID")


def duplicate(batch_id: str) -> Json:
    """What a repetition is told, with a link to the first."""
    return {
        "name": "USER_BUSINESS_ERROR",
        "message": "User business error.",
        "debug_id": "90957fca61718",
        "details": [{"field": "SENDER_BATCH_ID", "issue": "Duplicate batch request"}],
        "links": [_link(batch_id)],
    }


def _link(batch_id: str) -> Json:
    return {"href": f"{_API}{PATH}/{batch_id}", "rel": "self", "method": "GET"}
