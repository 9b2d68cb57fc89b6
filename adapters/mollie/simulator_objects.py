"""The objects of the simulated Mollie, with every field that its reference promises.

Source: docs.mollie.com/reference: get-payment, get-capture, get-refund, get-chargeback, read
2026-11.
"""

import json
import uuid
from collections import Counter
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias

from adapters.mollie.simulator_rules import Refusal, amount_of, link

Json: TypeAlias = dict[str, Any]

API: Final = "https://api.mollie.com/v2"
_DASHBOARD: Final = "https://my.mollie.com/dashboard"
_PAGE: Final = "https://www.mollie.com/checkout/test-mode"
_EXPIRES_S: Final = {"banktransfer": 12 * 86_400, "multibanco": 7 * 86_400}
# What is shown again where it was given.
_SHOWN: Final = (
    "webhookUrl", "captureMode", "customerId", "mandateId", "lines", "billingAddress",
)  # fmt: skip
_EMBEDDABLE: Final = frozenset({"captures", "refunds", "chargebacks"})
_DOCUMENTATION: Final = "https://docs.mollie.com/reference"


def encode(content: Json) -> bytes:
    """JSON as it goes over the wire."""
    return json.dumps(content, separators=(",", ":")).encode()


def moment(now: float) -> str:
    """A time as Mollie writes it."""
    return datetime.fromtimestamp(int(now), UTC).isoformat()


def new_id(prefix: str) -> str:
    """An id in Mollie's form, never given twice."""
    return f"{prefix}_{uuid.uuid4().hex[:22]}"


def our_id(thing: Json, name: str = "payment_id") -> str:
    """The id that the caller sent, or else Mollie's."""
    metadata = thing["metadata"]
    return str(metadata.get(name, thing["id"]) if isinstance(metadata, dict) else thing["id"])


def customer(given: Json, now: float) -> Json:
    """A customer as it is shown."""
    key = new_id("cst")
    mandates = f"{API}/customers/{key}/mandates"
    return {
        "resource": "customer",
        "id": key,
        "mode": "test",
        "name": given.get("name"),
        "email": given.get("email"),
        "locale": given.get("locale", "en_US"),
        "metadata": given.get("metadata"),
        "createdAt": moment(now),
        "_links": {
            "self": link(f"{API}/customers/{key}"),
            "dashboard": link(f"{_DASHBOARD}/customers/{key}"),
            "mandates": link(mandates),
            "documentation": link(f"{_DOCUMENTATION}/get-customer"),
        },
    }


def mandate(owner: str, given: Json, now: float) -> Json:
    """A mandate of an account as it is shown."""
    key = new_id("mdt")
    return {
        "resource": "mandate",
        "id": key,
        "mode": "test",
        "status": "valid",
        "method": given["method"],
        "details": {
            "consumerName": given["consumerName"],
            "consumerAccount": given["consumerAccount"],
            "consumerBic": given.get("consumerBic"),
        },
        "mandateReference": given.get("mandateReference", f"MD{uuid.uuid4().hex[:10].upper()}"),
        "signatureDate": given.get("signatureDate", moment(now)[:10]),
        "customerId": owner,
        "createdAt": moment(now),
        "_links": {
            "self": link(f"{API}/customers/{owner}/mandates/{key}"),
            "customer": link(f"{API}/customers/{owner}"),
            "documentation": link(f"{_DOCUMENTATION}/get-mandate"),
        },
    }


class PaymentRecord:
    """One payment with all that happened to it; amounts in the smallest unit.

    Attributes:
        given: The body that made it.
        status: As Mollie says it.
        captures: So are refunds and chargebacks: as they are shown, the newest first.
        captured: Of captures that succeeded; None where the method is never captured later.
        routed: Organisation to what it has of the money.
        expires_at: Until when a payer can pay, in seconds since the epoch.
    """

    def __init__(self, given: Json, minor: int, currency: str, now: float) -> None:
        self.given = given
        self.id = new_id("tr")
        self.minor = minor
        self.currency = currency
        self.created_at = now
        self.status = "open"
        self.captures: list[Json] = []
        self.refunds: list[Json] = []
        self.chargebacks: list[Json] = []
        self.captured: int | None = 0 if self.manual else None
        self.routed = Counter[str]()
        self.page = False
        self.failure = ""
        self.at: dict[str, float] = {}
        self.expires_at = now + _EXPIRES_S.get(given["method"], 900)

    @property
    def manual(self) -> bool:
        """Whether it is authorised first and captured later."""
        return bool(self.given.get("captureMode") == "manual")

    @property
    def collected(self) -> int:
        """What was taken."""
        if self.captured is not None:
            return self.captured
        return self.minor if self.status == "paid" else 0

    @property
    def given_back(self) -> int:
        """What was or will be given back."""
        gone = {"failed", "canceled"}
        return sum(one["_minor"] for one in self.refunds if one["status"] not in gone)

    def shown(self) -> Json:
        """As the API shows it."""
        made = self.given
        url = f"{API}/payments/{self.id}"
        links = {
            "self": link(url),
            "dashboard": link(f"{_DASHBOARD}/payments/{self.id}", "text/html"),
            "documentation": link(f"{_DOCUMENTATION}/get-payment", "text/html"),
        }
        found: Json = {
            "resource": "payment",
            "id": self.id,
            "mode": "test",
            "createdAt": moment(self.created_at),
            "amount": amount_of(self.minor, self.currency),
            "description": made["description"][:255],
            "method": made["method"],
            "metadata": made.get("metadata"),
            "status": self.status,
            "profileId": "pfl_simulated1",
            "sequenceType": made.get("sequenceType", "oneoff"),
            "redirectUrl": made.get("redirectUrl"),
            "_links": links,
        }
        for name in _SHOWN:
            if made.get(name) is not None:
                found[name] = made[name]
        for name, at in self.at.items():
            found[f"{name}At"] = moment(at)
        if self.status == "open":
            found.update(isCancelable=self.cancelable, expiresAt=moment(self.expires_at))
            if self.page:
                links["checkout"] = link(f"{_PAGE}?token={self.id}", "text/html")
        if self.captured is not None:
            found["amountCaptured"] = amount_of(self.captured, self.currency)
        if self.collected:
            left = max(self.collected - self.given_back, 0)
            found["amountRefunded"] = amount_of(self.given_back, self.currency)
            found["amountRemaining"] = amount_of(left, self.currency)
        taken = sum(one["_minor"] for one in self.chargebacks if not one.get("reversedAt"))
        if taken:
            found["amountChargedBack"] = amount_of(taken, self.currency)
        if details := self._details():
            found["details"] = details
        return found

    def embedded(self, asked: str) -> Json:
        """The parts that were asked for by name, to be shown with it."""
        names = [name for name in asked.split(",") if name]
        for name in names:
            if name not in _EMBEDDABLE:
                raise Refusal(400, f"The embed {name} is not supported")
        parts = {name: [visible(one) for one in getattr(self, name)] for name in names}
        return {"_embedded": parts} if parts else {}

    @property
    def cancelable(self) -> bool:
        """Whether the merchant can end it before anybody paid."""
        slow = {"banktransfer", "directdebit", "bacs"}
        return self.status in {"open", "pending"} and self.given["method"] in slow

    def _details(self) -> Json:
        method = self.given["method"]
        if method == "creditcard":
            return {"failureReason": self.failure} if self.failure else {}
        if method == "banktransfer":
            return {
                "bankName": "Stichting Mollie Payments",
                "bankAccount": "NL53ABNA0627535577",
                "bankBic": "ABNANL2A",
                "transferReference": f"RF12-{self.id[3:7]}-{self.id[7:11]}-{self.id[11:15]}",
            }
        if method == "directdebit":
            reason = {"bankReasonCode": self.failure} if self.failure else {}
            return {"transferReference": f"SD{self.id[3:15]}", **reason}
        return {}


def new_part(kind: str, prefix: str, payment: PaymentRecord, minor: int, now: float) -> Json:
    """A capture, refund or chargeback; ``_minor`` is never shown."""
    one = new_id(prefix)
    url = f"{API}/payments/{payment.id}"
    return {
        "resource": kind,
        "id": one,
        "amount": amount_of(minor, payment.currency),
        "_minor": minor,
        "createdAt": moment(now),
        "paymentId": payment.id,
        "_links": {
            "self": link(f"{url}/{kind}s/{one}"),
            "payment": link(url),
            "documentation": link(f"{_DOCUMENTATION}/get-{kind}", "text/html"),
        },
    }


def visible(part: Json) -> Json:
    """A part as the API shows it."""
    return {name: value for name, value in part.items() if name != "_minor"}
