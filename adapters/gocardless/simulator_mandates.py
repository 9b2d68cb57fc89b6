"""The mandates of the simulated GoCardless: requests for them, and what payers and banks do.

Source: developer.gocardless.com/api-reference (billing requests, billing request flows, mandates,
event types) and the fixtures of gocardless_pro 3.22.0, read 2026-11.
"""

from collections.abc import Callable
from typing import Any, Final, TypeAlias

import httpx
import msgspec

from adapters.gocardless import simulator_resources as resources
from adapters.gocardless import simulator_rules as rules
from adapters.gocardless.simulator_resources import Mandate, Step

Json: TypeAlias = dict[str, Any]
Told: TypeAlias = Callable[[Json, str, str, str, float], None]

# Where the payer agrees; not of the API, so nobody has to have a token.
PAGE: Final = "/billing/static/flow"
_PAGE_LIFE_S: Final = 7 * 86_400
_CURRENCIES: Final = {
    "sepa_core": "EUR",
    "bacs": "GBP",
    "ach": "USD",
    "becs": "AUD",
    "becs_nz": "NZD",
    "autogiro": "SEK",
    "betalingsservice": "DKK",
    "pad": "CAD",
}
_OPEN: Final = frozenset({"pending_submission", "submitted", "active"})
STEPS: Final = {
    "submit": Step(
        frozenset({"pending_submission"}), "submitted", "submitted", "mandate_submitted"
    ),
    "activate": Step(frozenset({"submitted"}), "active", "active", "mandate_activated"),
    "fail": Step(
        frozenset({"pending_submission", "submitted"}),
        "failed",
        "failed",
        "invalid_bank_details",
        "bank",
    ),
    "cancel": Step(_OPEN, "cancelled", "cancelled", "mandate_cancelled", "api"),
    "cancel_at_bank": Step(_OPEN, "cancelled", "cancelled", "mandate_cancelled", "bank"),
    "expire": Step(frozenset({"active"}), "expired", "expired", "mandate_expired"),
    "suspend": Step(
        frozenset({"active"}),
        "suspended_by_payer",
        "suspended_by_payer",
        "mandate_suspended_by_payer",
        "bank",
    ),
    "resume": Step(
        frozenset({"suspended_by_payer"}), "active", "active", "mandate_activated", "bank"
    ),
}
SCENARIOS: Final = {
    "mandate_activated": ("submit", "activate"),
    "mandate_failed": ("submit", "fail"),
    "mandate_expired": ("submit", "activate", "expire"),
    "mandate_suspended_by_payer": ("suspend",),
}


class Mandates:
    """The mandates of one creditor.

    Attributes:
        known: All mandates by their ids, those of the sandbox first.

    Args:
        told: Reports what has happened to a thing: action, cause, origin, time.
    """

    def __init__(self, told: Told) -> None:
        self.known: dict[str, Mandate] = dict(resources.MANDATES)
        self._requests: dict[str, Json] = {}
        self._pages: dict[str, tuple[str, float]] = {}
        self._told = told

    # What the world outside calls.

    def sign(self, page_or_request: str, now: float, *, outcome: str = "paid") -> str:
        """The payer agrees; the id of the mandate.

        Args:
            outcome: What becomes of the mandate's payments.
        """
        reference, until = self._pages.get(page_or_request, (page_or_request, now))
        request = rules.known(self._requests, reference)
        if request["status"] != "pending" or until < now:
            raise rules.invalid_state("billing_request_not_pending")
        asked = request["mandate_request"]
        mandate = Mandate(
            id=resources.new_id("MD"),
            scheme=asked["scheme"],
            currency=_CURRENCIES[asked["scheme"]],
            status="pending_submission",
            outcome=outcome,
            metadata=asked["metadata"],
            created_at=resources.moment(now),
        )
        self.known[mandate.id] = mandate
        request["status"] = "fulfilled"
        request["links"]["mandate_request_mandate"] = mandate.id
        self._told(resources.shown_mandate(mandate), "created", "mandate_created", "api", now)
        self._told(request, "fulfilled", "billing_request_fulfilled", "payer", now)
        return mandate.id

    def step(self, reference: str, name: str, now: float) -> bool:
        """What happens to a mandate; False where its state forbids it."""
        step, mandate = STEPS[name], self.known[reference]
        if mandate.status not in step.before:
            return False
        changed = msgspec.structs.replace(mandate, status=step.after)
        self.known[reference] = changed
        self._told(resources.shown_mandate(changed), step.action, step.cause, step.origin, now)
        return True

    def replace(self, reference: str, now: float) -> str:
        """The creditor has another scheme identifier: the id of the mandate that takes over."""
        old = self.known[reference]
        new = msgspec.structs.replace(old, id=resources.new_id("MD"), metadata={})
        self.known[new.id] = new
        gone = msgspec.structs.replace(old, status="cancelled", new_mandate=new.id)
        self.known[reference] = gone
        shown = resources.shown_mandate(gone)
        self._told(shown, "replaced", "scheme_identifier_changed", "gocardless", now)
        return new.id

    def effects(self) -> dict[str, int]:
        """How many requests or mandates there are by which money can be collected, by our ids."""
        found: dict[str, int] = {}
        for request in self._requests.values():
            made = request["links"].get("mandate_request_mandate")
            lives = self.known[made].status in _OPEN if made else request["status"] == "pending"
            ours = request["metadata"].get("mandate_id", request["id"])
            found[ours] = found.get(ours, 0) + lives
        return {ours: count for ours, count in found.items() if count}

    # Requests of the API.

    def create_request(self, request: httpx.Request, now: float) -> Json:
        """POST /billing_requests; the caller has looked at the key."""
        given = rules.body_of(request, "billing_requests")
        rules.check_fields(given, {"mandate_request", "metadata", "links", "fallback_enabled"})
        rules.check_metadata(given)
        asked = given.get("mandate_request")
        if not isinstance(asked, dict):
            raise rules.invalid("mandate_request", "billing_requests", "can't be blank")
        rules.check_fields(
            asked, {"scheme", "currency", "metadata", "description", "reference", "verify"}
        )
        rules.check_metadata(asked)
        if asked.get("scheme") not in _CURRENCIES:
            raise rules.invalid("scheme", "billing_requests/mandate_request", "is not included")
        made = resources.new_request(given, asked, now)
        self._requests[made["id"]] = made
        self._told(made, "created", "billing_request_created", "api", now)
        return {"billing_requests": made}

    def list_requests(self, request: httpx.Request, _now: float) -> Json:
        """GET /billing_requests."""
        page = rules.page_of(
            [*reversed(self._requests.values())],
            request,
            {"status": lambda one: one["status"], "customer": lambda one: one["links"]["customer"]},
        )
        return {"billing_requests": page.items, "meta": page.meta}

    def read_request(self, reference: str, _request: httpx.Request, _now: float) -> Json:
        """GET /billing_requests/BRQ123."""
        return {"billing_requests": rules.known(self._requests, reference)}

    def cancel_request(self, reference: str, request: httpx.Request, now: float) -> Json:
        """POST /billing_requests/BRQ123/actions/cancel; its pages expire."""
        found = rules.known(self._requests, reference)
        rules.body_of(request, "data", required=False)
        if found["status"] != "pending":
            raise rules.invalid_state("billing_request_not_pending")
        found["status"] = "cancelled"
        self._told(found, "cancelled", "billing_request_cancelled", "api", now)
        return {"billing_requests": found}

    def create_page(self, request: httpx.Request, now: float) -> Json:
        """POST /billing_request_flows; as many as are asked for."""
        given = rules.body_of(request, "billing_request_flows")
        rules.check_fields(given, {"redirect_uri", "exit_uri", "links", "prefilled_customer"})
        reference = given.get("links", {}).get("billing_request", "")
        found = rules.known(self._requests, reference)
        if not str(given.get("redirect_uri", "")).startswith("http"):
            raise rules.invalid("redirect_uri", "billing_request_flows", "is not a URL")
        if found["status"] != "pending":
            raise rules.invalid_state("billing_request_not_pending")
        page, until = resources.new_id("BRF"), now + _PAGE_LIFE_S
        self._pages[page] = reference, until
        return {"billing_request_flows": resources.shown_page(page, given, PAGE, now, until)}

    def read_mandate(self, reference: str, _request: httpx.Request, _now: float) -> Json:
        """GET /mandates/MD123."""
        return {"mandates": resources.shown_mandate(rules.known(self.known, reference))}

    def cancel_mandate(self, reference: str, request: httpx.Request, now: float) -> Json:
        """POST /mandates/MD123/actions/cancel."""
        rules.known(self.known, reference)
        rules.body_of(request, "data", required=False)
        if not self.step(reference, "cancel", now):
            raise rules.invalid_state("cancellation_failed")
        return {"mandates": resources.shown_mandate(self.known[reference])}
