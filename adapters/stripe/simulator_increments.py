"""Incremental authorisations of the simulated Stripe.

Source: docs.stripe.com/payments/incremental-authorization, OpenAPI document of 2023-08-16, read
2026-11.
"""

from collections import Counter
from collections.abc import Callable
from copy import deepcopy
from typing import Any, Final, TypeAlias

from adapters.stripe import simulator_forms as forms
from adapters.stripe import simulator_objects as objects

Json: TypeAlias = dict[str, Any]

INCREMENT: Final = {"amount": "int", "metadata": "map", "description": "text", "expand": "list"}
# "A maximum of 10 incremental authorization attempts, including declines."
_ATTEMPTS: Final = 10


class Increments:
    """Authorisations that grow.

    Attributes:
        routes: As the simulator has them.
        effects: How often each payment of ours was raised.

    Args:
        known: The PaymentIntent of an id, or a refusal.
        shown: A PaymentIntent with what is expanded.
        charges: By their ids.
    """

    def __init__(
        self,
        known: Callable[[str], Json],
        shown: Callable[[Json, list[str]], Json],
        charges: dict[str, Json],
        emit: Callable[[str, Json, float], None],
    ) -> None:
        self._known = known
        self._shown = shown
        self._charges = charges
        self._emit = emit
        self._attempts: Counter[str] = Counter()
        self.effects: dict[str, Counter[str]] = {"increment": Counter()}
        path = "/v1/payment_intents/{}/increment_authorization"
        self.routes: list[tuple[str, str, dict[str, str], Callable[..., Json]]] = [
            ("POST", path, INCREMENT, self._increment)
        ]

    def _increment(self, intent_id: str, params: Json, now: float) -> Json:
        intent = self._known(intent_id)
        forms.require(params, "amount")
        if intent["status"] != "requires_capture":
            raise objects.unexpected(intent, "incremented")
        if not objects.may_grow(intent):
            message = "This PaymentIntent is not eligible for incremental authorizations."
            raise forms.Refusal(400, {"message": message}, stored=True)
        if self._attempts[intent_id] >= _ATTEMPTS:
            message = "You have reached the maximum of 10 incremental authorization attempts."
            raise forms.Refusal(400, {"message": message}, stored=True)
        amount: int = params["amount"]
        forms.check_amount(amount, intent["currency"])
        if amount <= intent["amount"]:
            message = "The amount must be greater than the currently authorized amount."
            raise forms.Refusal(400, {"param": "amount", "message": message}, stored=True)
        self._attempts[intent_id] += 1
        if intent["payment_method"] == "pm_card_incrementDeclined":
            error = {
                "type": "card_error",
                "code": "card_declined",
                "decline_code": "insufficient_funds",
                "message": "Your card was declined.",
                "payment_intent": deepcopy(intent),
            }
            raise forms.Refusal(402, error, stored=True)
        self.effects["increment"][objects.our_id(intent)] += 1
        intent.update(amount=amount, amount_capturable=amount)
        self._charges[intent["latest_charge"]]["amount"] = amount
        self._emit("payment_intent.amount_capturable_updated", intent, now)
        return self._shown(intent, params.get("expand", []))
