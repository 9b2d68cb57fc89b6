"""The simulated PayPal's orders, and how the API shows them.

Source: paypal-rest-api-specifications of 2024-02, read 2026-11.
"""

import uuid
from typing import Any, Final, TypeAlias

from adapters.paypal.simulator_rules import amount_of, units
from adapters.paypal.simulator_webhooks import moment

Json: TypeAlias = dict[str, Any]

API: Final = "https://api-m.sandbox.paypal.com"
PAGE: Final = "/checkoutnow"
_GIVEN: Final = frozenset({"COMPLETED", "PENDING"})


def new_id() -> str:
    """An id as PayPal makes them: 17 characters."""
    return uuid.uuid4().hex[:17].upper()


class OrderRecord:
    """An order with what was held, collected and given back.

    Attributes:
        outcome: What becomes of it when it is completed: COMPLETED, PENDING or a code.
        kept: Of what was collected, what the platform has.
    """

    def __init__(self, given: Json, unit: Json, source: str, outcome: str, now: float) -> None:
        self.id = new_id()
        self.intent: str = given["intent"]
        self.unit = unit
        self.source = source
        self.outcome = outcome
        self.minor, self.currency = units(unit["amount"], "")
        self.status = "CREATED"
        self.instruction = "NO_INSTRUCTION"
        self.kept = 0
        self.back = ""
        if source:
            self.asked(given["payment_source"][source])
        self.created = self.updated = now
        self.authorizations: list[Json] = []
        self.captures: list[Json] = []
        self.refunds: list[Json] = []

    def asked(self, source: Json) -> None:
        """Where the payer comes back to, of a payment source."""
        self.back = source.get("experience_context", {}).get("return_url", "")

    @property
    def member(self) -> str:
        """Whose the money is; empty where it is the app's own."""
        return str(self.unit.get("payee", {}).get("merchant_id", ""))

    @property
    def our_id(self) -> str:
        """What the merchant calls it."""
        return str(self.unit.get("custom_id", ""))

    def shown(self) -> Json:
        """The order as the API shows it."""
        unit = {"reference_id": "default", "amount": amount_of(self.minor, self.currency)}
        names = ("custom_id", "invoice_id", "description", "payee", "payment_instruction")
        unit |= {name: self.unit[name] for name in names if name in self.unit}
        parts = {
            "authorizations": self.authorizations,
            "captures": self.captures,
            "refunds": self.refunds,
        }
        payments = {name: [visible(one) for one in found] for name, found in parts.items() if found}
        if payments:
            unit["payments"] = payments
        return {
            "id": self.id,
            "intent": self.intent,
            "status": self.status,
            **({"payment_source": {self.source: {}}} if self.source else {}),
            "processing_instruction": self.instruction,
            "purchase_units": [unit],
            "create_time": moment(self.created),
            "update_time": moment(self.updated),
            "links": self._links(),
        }

    def _links(self) -> list[Json]:
        url = f"{API}/v2/checkout/orders/{self.id}"
        links = [link(url, "self", "GET")]
        if self.status in {"CREATED", "PAYER_ACTION_REQUIRED"}:
            page = f"https://www.sandbox.paypal.com{PAGE}?token={self.id}"
            links.append(link(page, "payer-action" if self.source else "approve", "GET"))
        if self.status == "APPROVED":
            verb = "authorize" if self.intent == "AUTHORIZE" else "capture"
            links.append(link(f"{url}/{verb}", verb, "POST"))
        return links

    def part(self, kind: str, status: str, minor: int, now: float) -> Json:
        """A new authorisation or capture; what begins with _ is never shown."""
        one = new_id()
        url = f"{API}/v2/payments/{kind}s/{one}"
        found = {
            "id": one,
            "status": status,
            "amount": amount_of(minor, self.currency),
            "_minor": minor,
            "seller_protection": {"status": "NOT_ELIGIBLE"},
            "create_time": moment(now),
            "update_time": moment(now),
            "links": [
                link(url, "self", "GET"),
                link(f"{API}/v2/checkout/orders/{self.id}", "up", "GET"),
            ],
        }
        names = ("custom_id", "invoice_id")
        return found | {name: self.unit[name] for name in names if name in self.unit}

    def refund(self, capture: Json, given: Json, status: str, minor: int, now: float) -> Json:
        """A new refund of a capture."""
        one = new_id()
        found: Json = {
            "id": one,
            "status": status,
            "amount": amount_of(minor, self.currency),
            "_minor": minor,
            "_capture": capture["id"],
            "create_time": moment(now),
            "update_time": moment(now),
            "links": [
                link(f"{API}/v2/payments/refunds/{one}", "self", "GET"),
                link(f"{API}/v2/payments/captures/{capture['id']}", "up", "GET"),
            ],
        }
        names = ("custom_id", "invoice_id")
        return found | {name: given[name] for name in names if name in given}

    def left(self, capture: Json) -> int:
        """How much of a capture can still be given back."""
        mine = (one for one in self.refunds if one["_capture"] == capture["id"])
        gone = [int(one["_minor"]) for one in mine if one["status"] in _GIVEN]
        return int(capture["_minor"]) - sum(gone)


def visible(part: Json) -> Json:
    """A part as the API shows it."""
    return {name: value for name, value in part.items() if not name.startswith("_")}


def link(href: str, rel: str, method: str) -> Json:
    """A link of HATEOAS."""
    return {"href": href, "rel": rel, "method": method}
