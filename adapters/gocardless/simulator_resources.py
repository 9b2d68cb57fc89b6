"""The resources of the simulated GoCardless, and what may happen to them.

Source: developer.gocardless.com/api-reference (payments, refunds, event types) and the scenario
simulators as gocardless_pro 3.22.0 documents them, read 2026-11.
"""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeAlias

import msgspec

Json: TypeAlias = dict[str, Any]


class Mandate(msgspec.Struct, frozen=True, kw_only=True):
    """A mandate of the sandbox.

    Attributes:
        outcome: What becomes of its payments; see ``OUTCOMES``.
        cause: Why they fail or come back.
        metadata: As the request for it has them.
        new_mandate: What has replaced it; empty where nothing has.
    """

    id: str
    scheme: str
    currency: str
    status: str = "active"
    outcome: str = "paid"
    cause: str = ""
    metadata: Json = {}
    created_at: str = "1970-01-01T00:00:00.000Z"
    new_mandate: str = ""


class Step(msgspec.Struct, frozen=True):
    """Something that can happen: from which states, into which, and the event of it."""

    before: frozenset[str]
    after: str
    action: str
    cause: str = ""
    origin: str = "gocardless"


_SEPA: Final[Json] = {"scheme": "sepa_core", "currency": "EUR"}
_TABLE: Final = (
    Mandate(id="MD00SEPA", **_SEPA),
    Mandate(id="MD00BACS", scheme="bacs", currency="GBP"),
    Mandate(id="MD00ACH", scheme="ach", currency="USD"),
    Mandate(id="MD00BECS", scheme="becs", currency="AUD"),
    Mandate(id="MD00BECSNZ", scheme="becs_nz", currency="NZD"),
    Mandate(id="MD00AUTOGIRO", scheme="autogiro", currency="SEK"),
    Mandate(id="MD00BETALING", scheme="betalingsservice", currency="DKK"),
    Mandate(id="MD00PAD", scheme="pad", currency="CAD"),
    Mandate(id="MD00FUNDS", **_SEPA, outcome="failed", cause="insufficient_funds"),
    Mandate(id="MD00CLOSED", **_SEPA, outcome="failed", cause="bank_account_closed"),
    Mandate(id="MD00LATE", **_SEPA, outcome="late", cause="insufficient_funds"),
    Mandate(id="MD00LATEPAID", **_SEPA, outcome="late_paid", cause="refer_to_payer"),
    Mandate(id="MD00DISPUTED", **_SEPA, outcome="charged_back", cause="authorisation_disputed"),
    Mandate(id="MD00APPROVAL", **_SEPA, status="pending_customer_approval"),
    Mandate(id="MD00CANCELLED", **_SEPA, status="cancelled"),
)
MANDATES: Final = {one.id: one for one in _TABLE}

OUTCOMES: Final = {
    "paid": ("submit", "confirm", "pay_out"),
    "failed": ("submit", "fail"),
    "late": ("submit", "confirm", "fail"),
    "late_paid": ("submit", "confirm", "pay_out", "fail", "settle_failure"),
    "charged_back": ("submit", "confirm", "pay_out", "charge_back"),
}
_REFUNDING: Final = frozenset({"created", "pending_submission", "submitted"})
STEPS: Final = {
    "grant": Step(
        frozenset({"pending_customer_approval"}),
        "pending_submission",
        "customer_approval_granted",
        "customer_approval_granted",
        "customer",
    ),
    "deny": Step(
        frozenset({"pending_customer_approval"}),
        "customer_approval_denied",
        "customer_approval_denied",
        "customer_approval_denied",
        "customer",
    ),
    "submit": Step(
        frozenset({"pending_submission"}), "submitted", "submitted", "payment_submitted"
    ),
    "cancel": Step(
        frozenset({"pending_submission"}), "cancelled", "cancelled", "payment_cancelled", "api"
    ),
    "confirm": Step(frozenset({"submitted"}), "confirmed", "confirmed", "payment_confirmed"),
    "pay_out": Step(frozenset({"confirmed"}), "paid_out", "paid_out", "payment_paid_out"),
    "fail": Step(frozenset({"submitted", "confirmed", "paid_out"}), "failed", "failed", "", "bank"),
    "settle_failure": Step(
        frozenset({"failed"}), "failed", "late_failure_settled", "late_failure_settled"
    ),
    "charge_back": Step(
        frozenset({"confirmed", "paid_out"}),
        "charged_back",
        "charged_back",
        "authorisation_disputed",
        "bank",
    ),
    "settle_chargeback": Step(
        frozenset({"charged_back"}), "charged_back", "chargeback_settled", "chargeback_settled"
    ),
    "cancel_chargeback": Step(
        frozenset({"charged_back"}), "paid_out", "chargeback_cancelled", "payment_confirmed", "bank"
    ),
    "retry": Step(
        frozenset({"failed"}), "pending_submission", "resubmission_requested", "payment_retried"
    ),
    "pay_refund": Step(_REFUNDING, "paid", "paid", "refund_paid"),
    "settle_refund": Step(frozenset({"paid"}), "paid", "refund_settled", "refund_settled"),
    "bounce_refund": Step(_REFUNDING | {"paid"}, "bounced", "failed", "refund_failed", "bank"),
    "return_refund": Step(
        _REFUNDING | {"paid"}, "funds_returned", "funds_returned", "refund_funds_returned", "bank"
    ),
}
SCENARIOS: Final = {
    "payment_submitted": ("submit",),
    "payment_confirmed": ("submit", "confirm"),
    "payment_paid_out": ("submit", "confirm", "pay_out"),
    "payment_failed": ("submit", "fail"),
    "payment_charged_back": ("submit", "confirm", "pay_out", "charge_back"),
    "payment_chargeback_settled": (
        "submit",
        "confirm",
        "pay_out",
        "charge_back",
        "settle_chargeback",
    ),
    "payment_late_failure": ("submit", "confirm", "pay_out", "fail"),
    "payment_late_failure_settled": ("submit", "confirm", "pay_out", "fail", "settle_failure"),
    "refund_paid": ("pay_refund",),
    "refund_settled": ("pay_refund", "settle_refund"),
    "refund_bounced": ("bounce_refund",),
    "refund_returned": ("return_refund",),
}
# Links of resources to what they are about.
_KINDS: Final = {"PM": "payments", "RF": "refunds", "MD": "mandates", "BR": "billing_requests"}


def new_id(prefix: str) -> str:
    """An id in GoCardless's form, never given twice."""
    return f"{prefix}{uuid.uuid4().hex[:14].upper()}"


def moment(now: float) -> str:
    """Seconds since the epoch as GoCardless writes a time."""
    return datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def given(refund: Json) -> bool:
    """Whether a refund gives, or gave, money back."""
    return refund["status"] not in {"cancelled", "bounced", "funds_returned"}


def new_request(given: Json, asked: Json, now: float) -> Json:
    """A request for a mandate that nobody has agreed to."""
    return {
        "id": new_id("BRQ"),
        "created_at": moment(now),
        "status": "pending",
        "links": {
            "creditor": "CR00SIMULATED",
            "customer": "CU00SIMULATED",
            "mandate_request": new_id("MRQ"),
        },
        "mandate_request": {"metadata": {}, "verify": "when_available", **asked},
        "metadata": given.get("metadata", {}),
    }


def shown_page(page: str, given: Json, path: str, now: float, until: float) -> Json:
    """The page of a request as it is answered.

    Args:
        path: Where the payer agrees.
    """
    return {
        "id": page,
        "authorisation_url": f"https://pay-sandbox.gocardless.com{path}?id={page}",
        "auto_fulfil": True,
        "created_at": moment(now),
        "expires_at": moment(until),
        "exit_uri": given.get("exit_uri"),
        "links": given["links"],
        "redirect_uri": given["redirect_uri"],
    }


def new_payment(given: Json, mandate: Mandate, now: float) -> Json:
    """A payment that nothing has happened to."""
    waits = mandate.status == "pending_customer_approval"
    day = datetime.fromtimestamp(now, UTC).date() + timedelta(days=3)
    while day.isoweekday() > 5:  # noqa: PLR2004 - Friday
        day += timedelta(days=1)
    payment = {
        "id": new_id("PM"),
        "amount": int(given["amount"]),
        "amount_refunded": 0,
        "charge_date": given.get("charge_date", day.isoformat()),
        "created_at": moment(now),
        "currency": given["currency"],
        "description": given.get("description"),
        "fx": _fx(given["currency"]),
        "links": {"creditor": "CR00SIMULATED", "mandate": mandate.id},
        "metadata": given.get("metadata", {}),
        "reference": given.get("reference"),
        "retry_if_possible": given.get("retry_if_possible", False),
        "scheme": mandate.scheme,
        "status": "pending_customer_approval" if waits else "pending_submission",
    }
    return payment | ({"faster_ach": False} if mandate.scheme == "ach" else {})


def new_refund(given: Json, payment: Json, now: float) -> Json:
    """A refund that is not on its way yet."""
    return {
        "id": new_id("RF"),
        "amount": int(given["amount"]),
        "created_at": moment(now),
        "currency": payment["currency"],
        "fx": _fx(payment["currency"]),
        "links": {"mandate": payment["links"]["mandate"], "payment": payment["id"]},
        "metadata": given.get("metadata", {}),
        "reference": given.get("reference"),
        "status": "created",
    }


def new_event(thing: Json, action: str, cause: str, origin: str, now: float, **more: Any) -> Json:
    """What happened to a payment or a refund; the bank's own code where the bank says it."""
    kind = _KINDS[thing["id"][:2]]
    details = {"origin": origin, "cause": cause, "description": f"Simulated: {cause}.", **more}
    if origin == "bank":
        details |= {"scheme": thing.get("scheme", "sepa_core"), "reason_code": "XX01"}
    return {
        "id": new_id("EV"),
        "created_at": moment(now),
        "resource_type": kind,
        "action": action,
        "links": {kind.removesuffix("s"): thing["id"]},
        "details": details,
        "metadata": {},
        "resource_metadata": dict(thing["metadata"]),
    }


def shown_mandate(mandate: Mandate) -> Json:
    """The mandate as it is read."""
    return {
        "id": mandate.id,
        "created_at": mandate.created_at,
        "links": {
            "creditor": "CR00SIMULATED",
            "customer": "CU00SIMULATED",
            "customer_bank_account": "BA00SIMULATED",
            **({"new_mandate": mandate.new_mandate} if mandate.new_mandate else {}),
        },
        "metadata": mandate.metadata,
        "next_possible_charge_date": "2026-01-05",
        "payments_require_approval": False,
        "reference": mandate.id,
        "scheme": mandate.scheme,
        "status": mandate.status,
    }


def _fx(currency: str) -> Json:
    return {
        "estimated_exchange_rate": None,
        "exchange_rate": None,
        "fx_amount": None,
        "fx_currency": currency,
    }
