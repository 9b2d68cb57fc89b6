"""The objects of the simulated PAYONE. Source: API definition 1.61.0."""

import uuid
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias

from adapters.payone.simulator_errors import Refusal, problem

Json: TypeAlias = dict[str, Any]

_INPUTS: Final = {
    "card": "cardPaymentMethodSpecificInput",
    "redirect": "redirectPaymentMethodSpecificInput",
    "debit": "sepaDirectDebitPaymentMethodSpecificInput",
    "mobile": "mobilePaymentMethodSpecificInput",
    "financing": "financingPaymentMethodSpecificInput",
}
_PAGE: Final = "https://payment.preprod.commerce.payone.com/redirect"
_DEAD: Final = frozenset({"REJECTED", "CANCELLED"})


def moment(now: float) -> str:
    """A time as PAYONE writes it."""
    return datetime.fromtimestamp(int(now), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class CheckoutRecord:
    """One checkout with its only execution; amounts in hundredths.

    Attributes:
        execution: Its id; empty where there is none.
        events: As they are shown, the oldest first.
    """

    def __init__(self, body: Json, method: str, now: float) -> None:
        checkout = body["checkout"]
        order = checkout["orderRequest"]
        self.case, self.id, self.execution = str(uuid.uuid4()), str(uuid.uuid4()), ""
        self.payment_id = f"PP{uuid.uuid4().hex[:14].upper()}"
        self.reference: str = checkout["references"]["merchantReference"]
        self.input: Json = order["paymentMethodSpecificInput"]
        self.units: int = checkout["amountOfMoney"]["amount"]
        self.currency: str = checkout["amountOfMoney"]["currencyCode"]
        self.events: list[Json] = []
        self.collected = self.cancelled = self.given_back = self.taken = 0
        self._references: Json = order["orderReferences"]
        self._method = method
        self._claimed: set[tuple[str, str]] = set()
        self._at = now

    @property
    def payment_reference(self) -> str:
        """Of the execution, which no other that is alive may have."""
        return str(self._references["merchantReference"])

    @property
    def held(self) -> bool:
        """Whether it is authorised first and captured later."""
        given = self.input[_INPUTS[self._method]]
        if self._method in {"card", "mobile"}:
            return bool(given.get("authorizationMode", "PRE_AUTHORIZATION") != "SALE")
        approved = self._method in {"redirect", "financing"}
        return approved and bool(given.get("requiresApproval", True))

    @property
    def secured(self) -> bool:
        """Whether PAYONE guarantees that it is paid."""
        return self._method == "financing"

    @property
    def kind(self) -> str:
        """The type of its first event."""
        return "RESERVATION" if self.held else "SALE"

    @property
    def open(self) -> int:
        """What can still be collected."""
        return self.units - self.collected - self.cancelled

    @property
    def left(self) -> int:
        """What can still be given back."""
        return self.collected - self.given_back - self.taken

    @property
    def status(self) -> str:
        """Where the execution stands."""
        if not self.events:
            return "CREATED"
        first = str(self.events[0]["paymentStatus"])
        if self.cancelled and not self.collected:
            return "CANCELLED"
        return "CAPTURED" if self.held and not self.open else first

    def add(self, kind: str, status: str, units: int, now: float, **fields: str) -> None:
        """Something was done."""
        event = {
            "type": kind,
            "amountOfMoney": self.money(units),
            "paymentStatus": status,
            "paymentEventId": str(uuid.uuid4()),
            "creationDateTime": moment(now),
        }
        self.events.append({**event, **{name: text for name, text in fields.items() if text}})

    def become(self, status: str) -> None:
        """What was done first has come further."""
        self.events[0]["paymentStatus"] = status

    def claim(self, kind: str, reference: str) -> None:
        """Refuse a reference that was used here before."""
        if reference and (kind, reference) in self._claimed:
            raise Refusal(400, "50001101", "merchantReference")
        known = ("CAPTURE", reference) in self._claimed or ("REFUND", reference) in self._claimed
        if reference and known:
            raise Refusal(400, "50001101", "merchantReference")
        possible = self.status == "PENDING_CAPTURE" if kind == "CAPTURE" else self.left > 0
        if possible:
            self._claimed.add((kind, reference))

    def money(self, units: int) -> Json:
        """An amount."""
        return {"amount": units, "currencyCode": self.currency}

    def made(self, error: tuple[int, str, str] | None = None) -> Json:
        """As the answer to its making shows it."""
        checkout: Json = {
            "checkoutId": self.id,
            "amountOfMoney": self.money(self.units),
            "references": {"merchantReference": self.reference},
            "checkoutStatus": self._checkout_status(),
            "statusOutput": self._totals(),
            "creationDateTime": moment(self._at),
            "allowedPaymentActions": ["PAYMENT_EXECUTION"],
        }
        if self.execution:
            checkout["paymentResponse"] = {
                "payment": self.payment(),
                "paymentExecutionId": self.execution,
            }
            checkout["paymentExecution"] = self._execution()
        if self.status == "REDIRECTED":
            page = {"redirectURL": f"{_PAGE}?id={self.payment_id}"}
            action = {"actionType": "REDIRECT", "redirectData": page}
            checkout["paymentResponse"]["merchantAction"] = action
        if error:
            errors = [problem(*error)]
            checkout["errorResponse"] = {"errorId": str(uuid.uuid4()), "errors": errors}
        return {
            "commerceCaseId": self.case,
            "merchantReference": self.reference,
            "checkout": checkout,
            "creationDateTime": moment(self._at),
        }

    def shown(self) -> Json:
        """As a look-up shows it."""
        return {
            "commerceCaseId": self.case,
            "checkoutId": self.id,
            "amountOfMoney": self.money(self.units),
            "references": {"merchantReference": self.reference},
            "paymentExecutions": [self._execution()] if self.execution else [],
            "checkoutStatus": self._checkout_status(),
            "statusOutput": self._totals(),
            "creationDateTime": moment(self._at),
            "allowedPaymentActions": ["PAYMENT_EXECUTION"],
        }

    def payment(self, units: int | None = None, status: str = "") -> Json:
        """The payment as answers and webhooks carry it."""
        output = {
            "amountOfMoney": self.money(self.units if units is None else units),
            "references": {"merchantReference": self.payment_reference},
        }
        if "merchantParameters" in self._references:
            output["merchantParameters"] = self._references["merchantParameters"]
        return {"id": self.payment_id, "status": status or self.status, "paymentOutput": output}

    def refund(self, money: Json, reference: str) -> Json:
        """A refund as answers and webhooks carry it."""
        output: Json = {"amountOfMoney": money, "references": {"merchantReference": reference}}
        if "merchantParameters" in self._references:
            output["merchantParameters"] = self._references["merchantParameters"]
        return {"id": self.payment_id, "status": "REFUNDED", "refundOutput": output}

    def _execution(self) -> Json:
        name = _INPUTS[self._method]
        return {
            "paymentExecutionId": self.execution,
            "paymentId": self.payment_id,
            name: self.input[name],
            "paymentChannel": self.input.get("paymentChannel", "ECOMMERCE"),
            "references": self._references,
            "creationDateTime": moment(self._at),
            "lastUpdated": moment(self._at),
            "events": self.events,
        }

    def _checkout_status(self) -> str:
        if self.taken:
            return "CHARGEBACKED"
        if self.collected:
            return "BILLED"
        return "COMPLETED" if self.execution and self.status not in _DEAD else "OPEN"

    def _totals(self) -> Json:
        unpaid = self.open if self.status not in _DEAD else self.units - self.cancelled
        return {
            "paymentStatus": "PAYMENT_NOT_COMPLETED" if unpaid else "PAYMENT_COMPLETED",
            "isModifiable": not self.execution,
            "openAmount": unpaid,
            "collectedAmount": self.left,
            "cancelledAmount": self.cancelled,
            "refundedAmount": self.given_back,
            "chargebackAmount": self.taken,
        }
