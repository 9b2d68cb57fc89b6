"""Refunds of the simulated Stripe that wait for the payer, and are cancelled.

Source: docs.stripe.com/api/refunds/cancel, OpenAPI document of 2023-08-16, read 2026-11.
"""

from collections import Counter
from collections.abc import Callable
from copy import deepcopy
from typing import Any, TypeAlias

from adapters.stripe import simulator_forms as forms

Json: TypeAlias = dict[str, Any]


class Refunds:
    """Refunds that can be cancelled.

    Attributes:
        routes: As the simulator has them.

    Args:
        refunds: By their ids.
        charges: By their ids.
        given_back: How often each of our refunds was given.
    """

    def __init__(
        self,
        refunds: dict[str, Json],
        charges: dict[str, Json],
        given_back: Counter[str],
        emit: Callable[[str, Json, float], None],
    ) -> None:
        self._refunds = refunds
        self._charges = charges
        self._given_back = given_back
        self._emit = emit
        self.routes: list[tuple[str, str, dict[str, str], Callable[..., Json]]] = [
            ("POST", "/v1/refunds/{}/cancel", forms.ONE, self._cancel)
        ]

    def _cancel(self, refund_id: str, _params: Json, now: float) -> Json:
        refund = self._refunds.get(refund_id)
        if refund is None:
            raise forms.missing("refund", refund_id, status=404)
        if refund["status"] != "requires_action":
            message = "Only refunds with a status of requires_action can be canceled."
            raise forms.Refusal(400, {"message": message}, stored=True)
        refund["status"] = "canceled"
        charge = self._charges[refund["charge"]]
        charge.update(amount_refunded=charge["amount_refunded"] - refund["amount"], refunded=False)
        self._given_back[refund["metadata"].get("refund_id", refund_id)] -= 1
        self._emit("refund.updated", refund, now)
        return deepcopy(refund)
