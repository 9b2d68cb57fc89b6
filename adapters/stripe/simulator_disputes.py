"""Disputes in the simulated Stripe: a payer opens one, we answer, the issuer decides.

Source: docs.stripe.com/api/disputes and /disputes/how-disputes-work, OpenAPI document of
2023-08-16, read 2026-11.
"""

from collections import Counter
from collections.abc import Callable
from copy import deepcopy
from typing import Any, Final, TypeAlias

from adapters.stripe import simulator_forms as forms
from adapters.stripe import simulator_objects as objects

Json: TypeAlias = dict[str, Any]

_ANSWER_S: Final = 7 * 86_400
_EVIDENCE: Final = {"evidence": "map", "metadata": "map", "submit": "bool", "expand": "list"}
_ENDED: Final = {"won", "lost"}


class Disputes:
    """The disputes of one account.

    Attributes:
        effects: How often a claim was accepted or contested, by Stripe's id of it.

    Args:
        emit: Reports an event: its type, its object, and when.
    """

    def __init__(self, emit: Callable[[str, Json, float], None]) -> None:
        self._disputes: dict[str, Json] = {}
        self._emit = emit
        self.effects: dict[str, Counter[str]] = {"acceptance": Counter(), "evidence": Counter()}
        self.routes: list[tuple[str, str, dict[str, str], Callable[..., Json]]] = [
            ("GET", "/v1/disputes/{}", forms.ONE, self._read),
            ("POST", "/v1/disputes/{}", _EVIDENCE, self._submit),
            ("POST", "/v1/disputes/{}/close", forms.ONE, self._close),
        ]

    def open(self, intent: Json, now: float, *, amount: int | None = None) -> str:
        """A payer claims money back; Stripe's id of the dispute."""
        due_by = int(now) + _ANSWER_S
        details = {"due_by": due_by, "has_evidence": False, "past_due": False}
        dispute = {
            "id": objects.new_id("dp"),
            "object": "dispute",
            "amount": intent["amount"] if amount is None else amount,
            "balance_transactions": [],
            "charge": intent["latest_charge"],
            "created": int(now),
            "currency": intent["currency"],
            "evidence": {},
            "evidence_details": {**details, "submission_count": 0},
            "is_charge_refundable": False,
            "livemode": False,
            "metadata": {},
            "payment_intent": intent["id"],
            "reason": "product_not_received",
            "status": "needs_response",
        }
        self._disputes[dispute["id"]] = dispute
        self._emit("charge.dispute.created", dispute, now)
        return str(dispute["id"])

    def decide(self, dispute_id: str, now: float, *, won: bool) -> None:
        """The issuer has looked at it; no API does that in Stripe's place."""
        dispute = self._disputes[dispute_id]
        dispute["status"] = "won" if won else "lost"
        self._emit("charge.dispute.closed", dispute, now)

    def _read(self, dispute_id: str, _params: Json, _now: float) -> Json:
        return deepcopy(self._known(dispute_id))

    def _submit(self, dispute_id: str, params: Json, now: float) -> Json:
        dispute = self._known(dispute_id)
        details = dispute["evidence_details"]
        if dispute["status"] != "needs_response" or now > details["due_by"]:
            message = "This dispute is already closed or under review."
            raise forms.Refusal(400, {"message": message}, stored=True)
        dispute["metadata"].update(params.get("metadata", {}))
        dispute["evidence"].update(params.get("evidence", {}))
        details["has_evidence"] = bool(dispute["evidence"])
        if params.get("submit", True):
            details["submission_count"] += 1
            dispute["status"] = "under_review"
            self.effects["evidence"][dispute_id] += 1
        self._emit("charge.dispute.updated", dispute, now)
        return deepcopy(dispute)

    def _close(self, dispute_id: str, _params: Json, now: float) -> Json:
        dispute = self._known(dispute_id)
        if dispute["status"] in _ENDED:
            raise forms.Refusal(400, {"message": "This dispute is already closed."}, stored=True)
        dispute["status"] = "lost"
        self.effects["acceptance"][dispute_id] += 1
        self._emit("charge.dispute.closed", dispute, now)
        return deepcopy(dispute)

    def _known(self, dispute_id: str) -> Json:
        if dispute_id not in self._disputes:
            raise forms.missing("dispute", dispute_id, status=404)
        return self._disputes[dispute_id]
