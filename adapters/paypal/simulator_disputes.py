"""Disputes in the simulated PayPal: a payer claims, we answer, PayPal decides.

Source: paypal-rest-api-specifications of 2024-02 (customer_disputes_v1) and
developer.paypal.com/docs/disputes/integration-guide, read 2026-11.
"""

import json
import re
import uuid
from collections import Counter
from collections.abc import Callable
from typing import Any, Final, TypeAlias

import httpx

from adapters.paypal.simulator_objects import API, OrderRecord, link
from adapters.paypal.simulator_rules import Refusal
from adapters.paypal.simulator_webhooks import moment

Json: TypeAlias = dict[str, Any]
Verb: TypeAlias = Callable[..., tuple[int, Json | None]]

_PATH: Final = "/v1/customer/disputes"
_ANSWER_S: Final = 10 * 86_400
_REASONS: Final = {
    "BUYER_COMPLAINT": "MERCHANDISE_OR_SERVICE_NOT_RECEIVED",
    "CHARGEBACK": "UNAUTHORISED",
}
_PART: Final = re.compile(
    rb'--(?P<edge>[0-9a-f]{32})\r\nContent-Disposition: form-data; name="input"\r\n'
    rb"Content-Type: application/json\r\n\r\n(?P<input>.*)\r\n--(?P=edge)--\r\n",
    re.DOTALL,
)
_NOTES: Final = 2_000


class Disputes:
    """The disputes of one account.

    Attributes:
        effects: How often a claim was accepted or contested, by PayPal's id of it.

    Args:
        emit: Reports an event: its type, its resource, and when.
        refund: Gives a capture of an order back, because a claim was accepted.
    """

    def __init__(
        self,
        emit: Callable[[str, Json, float], None],
        refund: Callable[[OrderRecord, Json, float], None],
    ) -> None:
        self._disputes: dict[str, Json] = {}
        self._emit = emit
        self._refund = refund
        self.effects: dict[str, Counter[str]] = {"acceptance": Counter(), "evidence": Counter()}
        self.routes: list[tuple[str, str, Verb]] = [
            ("GET", _PATH, self._list),
            ("GET", f"{_PATH}/{{}}", self._show),
            ("POST", f"{_PATH}/{{}}/accept-claim", self._accept),
            ("POST", f"{_PATH}/{{}}/provide-evidence", self._contest),
        ]

    def open(self, order: OrderRecord, capture: Json, reason: str, now: float) -> None:
        """The payer claims a capture."""
        dispute_id = f"PP-D-{uuid.uuid4().int % 100_000}"
        self._disputes[dispute_id] = {
            "dispute_id": dispute_id,
            "create_time": moment(now),
            "update_time": moment(now),
            "disputed_transactions": [
                {
                    "seller_transaction_id": capture["id"],
                    "transaction_status": "COMPLETED",
                    "custom": order.our_id,
                }
            ],
            "reason": _REASONS[reason],
            "status": "WAITING_FOR_SELLER_RESPONSE",
            "dispute_amount": capture["amount"],
            "dispute_life_cycle_stage": "CHARGEBACK",
            "dispute_channel": "INTERNAL",
            "seller_response_due_date": moment(now + _ANSWER_S),
            "links": [link(f"{API}{_PATH}/{dispute_id}", "self", "GET")],
            "_order": order,
            "_capture": capture,
        }
        self._tell("CREATED", self._disputes[dispute_id], now)

    def decide(self, capture_id: str, outcome: str, now: float) -> None:
        """PayPal has looked at it, or the payer has given up; no API does that in their place."""
        for dispute in self._disputes.values():
            if dispute["_capture"]["id"] == capture_id:
                self._resolve(dispute, outcome, now)

    def _resolve(self, dispute: Json, outcome: str, now: float) -> None:
        dispute["status"] = "RESOLVED"
        dispute["dispute_outcome"] = {"outcome_code": outcome}
        if outcome == "RESOLVED_BUYER_FAVOUR":
            dispute["_capture"]["status_details"] = {"reason": "CHARGEBACK"}
        else:
            dispute["_capture"].pop("status_details", None)
        self._tell("RESOLVED", dispute, now)

    def _list(self, request: httpx.Request, _given: Json, _now: float) -> tuple[int, Json]:
        wanted = request.url.params.get("disputed_transaction_id", "")
        if not re.fullmatch("[0-9A-Z_]{1,255}", wanted):
            raise Refusal(400, "INVALID_PARAMETER_SYNTAX", "disputed_transaction_id")
        names = (
            *("dispute_id", "create_time", "update_time", "reason", "status", "dispute_amount"),
            *("dispute_life_cycle_stage", "dispute_channel", "links"),
        )
        hits = [one for one in self._disputes.values() if one["_capture"]["id"] == wanted]
        items = [{name: one[name] for name in names} for one in reversed(hits)]
        return 200, {"items": items} if items else {}

    def _show(self, dispute_id: str, *_: Any) -> tuple[int, Json]:
        return 200, _visible(self._known(dispute_id))

    def _accept(
        self, dispute_id: str, _request: httpx.Request, given: Json, now: float
    ) -> tuple[int, Json]:
        dispute = self._awaited(dispute_id)
        if given.get("accept_claim_type") != "REFUND":
            raise Refusal(400, "INVALID_ACCEPT_CLAIM_TYPE", "/accept_claim_type")
        self.effects["acceptance"][dispute_id] += 1
        self._refund(dispute["_order"], dispute["_capture"], now)
        self._resolve(dispute, "ACCEPTED", now)
        return 200, _links(dispute)

    def _contest(
        self, dispute_id: str, request: httpx.Request, _given: Json, now: float
    ) -> tuple[int, Json]:
        dispute = self._awaited(dispute_id)
        given = _input_of(request)
        evidences = given.get("evidences", [])
        if not evidences or not all(0 < len(one["notes"]) <= _NOTES for one in evidences):
            raise Refusal(400, "INVALID_EVIDENCE", "/evidences")
        source = {"source": "SUBMITTED_BY_SELLER", "date": moment(now)}
        dispute["evidences"] = [{**one, **source} for one in evidences]
        dispute["status"] = "UNDER_REVIEW"
        self.effects["evidence"][dispute_id] += 1
        self._tell("UPDATED", dispute, now)
        return 200, _links(dispute)

    def _awaited(self, dispute_id: str) -> Json:
        dispute = self._known(dispute_id)
        if dispute["status"] != "WAITING_FOR_SELLER_RESPONSE":
            raise Refusal(422, "ACTION_NOT_ALLOWED_IN_CURRENT_DISPUTE_STATE")
        return dispute

    def _known(self, dispute_id: str) -> Json:
        if dispute_id not in self._disputes:
            raise Refusal(404, "INVALID_RESOURCE_ID")
        return self._disputes[dispute_id]

    def _tell(self, word: str, dispute: Json, now: float) -> None:
        dispute["update_time"] = moment(now)
        self._emit(f"CUSTOMER.DISPUTE.{word}", _visible(dispute), now)


def _input_of(request: httpx.Request) -> Json:
    """The JSON among the parts of the request."""
    kind, _, edge = request.headers.get("content-type", "").partition("; boundary=")
    match = _PART.fullmatch(request.read())
    if kind != "multipart/form-data" or match is None or match["edge"] != edge.encode():
        raise Refusal(415, "INVALID_CONTENT_TYPE")
    given: Json = json.loads(match["input"])
    return given


def _visible(dispute: Json) -> Json:
    shown = {name: value for name, value in dispute.items() if not name.startswith("_")}
    found: Json = json.loads(json.dumps(shown))
    return found


def _links(dispute: Json) -> Json:
    return {"links": dispute["links"]}
