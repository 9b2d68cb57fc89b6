"""Payers of the simulated Adyen who come back, and what is decided of their payments.

Source: docs.adyen.com/online-payments/build-your-integration, /development-resources/
refusal-reasons; Checkout v71, PaymentDetailsRequest, read 2026-11.
"""

import uuid
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from adapters.adyen.simulator_methods import Refusal

Json: TypeAlias = dict[str, Any]

REASONS: Final = {
    "2": "Refused",
    "4": "Acquirer Error",
    "6": "Expired Card",
    "11": "3D Not Authenticated",
    "12": "Not enough balance",
    "16": "Shopper Cancelled",
    "38": "Authentication required",
}


class Returned:
    """What payers brought back, each of one payment.

    Args:
        decide: Authorises or refuses a payment, and notifies.
        payments: By their PSP references.
    """

    def __init__(
        self, decide: Callable[[Json, str, float], None], payments: dict[str, Json]
    ) -> None:
        self._decide = decide
        self._payments = payments
        self._results: dict[str, tuple[str, bool]] = {}

    def result_of(self, payment: Json, *, succeeds: bool) -> str:
        """What the payer is given; nobody can guess it."""
        result = f"eyJ0cmFuc1N0YXR1cyI6IlkifQ.{uuid.uuid4().hex}.{uuid.uuid4().hex}"
        self._results[result] = payment["psp"], succeeds
        return result

    def details(self, body: Json, now: float) -> Json:
        """The answer to /payments/details; what was decided is said again."""
        details = body.get("details")
        if not details:
            raise Refusal(422, "14_017", "Required field 'details' is not provided.")
        known = self._results.get(details.get("redirectResult", ""))
        if known is None:
            raise Refusal(422, "14_019", "Invalid payload provided")
        psp, succeeds = known
        payment = self._payments[psp]
        if payment["state"] == "asked":
            self._decide(payment, "" if succeeds else "11", now)
        if payment["state"] in {"refused", "closed", "cancelled"}:
            return decided(payment, "Refused", "11" if payment["method"] == "scheme" else "2")
        return decided(payment, "Authorised", "")


def decided(payment: Json, result: str, code: str) -> Json:
    """The answer about a payment that is decided."""
    answer = {
        "pspReference": payment["psp"],
        "resultCode": result,
        "amount": payment["amount"],
        "merchantReference": payment["reference"],
    }
    if result in {"Refused", "Error", "Cancelled"}:
        answer |= {"refusalReason": REASONS[code], "refusalReasonCode": code}
    elif result == "Authorised":
        answer["paymentMethod"] = {"type": payment["method"]}
    return answer
