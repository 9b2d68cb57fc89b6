"""The simulated Stripe's Customers, the pages on which they agree, and what is saved by that.

Source: OpenAPI document of 2023-08-16; docs.stripe.com/payments/save-and-reuse and
/payments/sepa-debit/set-up-payment, read 2026-11.
"""

import uuid
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from adapters.stripe import simulator_forms as forms
from adapters.stripe.simulator_forms import Refusal, missing, require

Json: TypeAlias = dict[str, Any]
Route: TypeAlias = tuple[str, str, dict[str, str], Callable[..., Json]]

_CUSTOMER: Final = {"name": "text", "email": "text", "metadata": "map"}
_SESSION: Final = {
    "mode": "payment|setup|subscription",
    "customer": "text",
    "payment_method_types": "list",
    "success_url": "text",
    "cancel_url": "text",
    "metadata": "map",
    "setup_intent_data": "map",
    "currency": "text",
}
_SETUP: Final = {
    "customer": "text",
    "confirm": "bool",
    "usage": "off_session|on_session",
    "payment_method_types": "list",
    "payment_method_data": "map",
    "mandate_data": "map",
    "metadata": "map",
}
_BY_CUSTOMER: Final = {**forms.PAGE, "customer": "text"}
_PAGE_LIFE_S: Final = 86_400


class Setups:
    """What Customers of one account have agreed to.

    Args:
        emit: Reports a thing: kind of event, thing, time.
    """

    def __init__(self, emit: Callable[[str, Json, float], None]) -> None:
        self._emit = emit
        self._customers: dict[str, Json] = {}
        self._sessions: dict[str, Json] = {}
        self._setups: dict[str, Json] = {}
        self._mandates: dict[str, Json] = {}
        self.methods: dict[str, Json] = {}
        self.routes: list[Route] = [
            ("POST", "/v1/customers", _CUSTOMER, self._create_customer),
            ("GET", "/v1/customers", forms.PAGE, self._list(self._customers, "/v1/customers")),
            ("POST", "/v1/checkout/sessions", _SESSION, self._create_session),
            (
                "GET",
                "/v1/checkout/sessions",
                _BY_CUSTOMER,
                self._list(self._sessions, "/v1/checkout/sessions"),
            ),
            ("POST", "/v1/checkout/sessions/{}/expire", {}, self._expire),
            ("POST", "/v1/setup_intents", _SETUP, self._create_setup),
            (
                "GET",
                "/v1/setup_intents",
                _BY_CUSTOMER,
                self._list(self._setups, "/v1/setup_intents"),
            ),
            ("GET", "/v1/payment_methods/{}", forms.ONE, self._read(self.methods)),
            ("POST", "/v1/payment_methods/{}/detach", {}, self._detach),
            ("GET", "/v1/mandates/{}", forms.ONE, self._read(self._mandates)),
        ]

    def sign(self, customer: str, *, now: float) -> None:
        """The payer agrees on the page of a Customer."""
        (session,) = self._open(customer)
        setup = self._setups[session["setup_intent"]]
        session.update(status="complete", url=None)
        self._succeed(setup, setup["payment_method_types"][0], now)
        self._emit("checkout.session.completed", session, now)

    def is_open(self, customer: str) -> bool:
        """Whether the payer can still agree."""
        return bool(self._open(customer))

    def _open(self, customer: str) -> list[Json]:
        mine = (one for one in self._sessions.values() if one["customer"] == customer)
        return [one for one in mine if one["status"] == "open"]

    def end_mandate(self, customer: str, *, now: float) -> None:
        """The payer's bank has ended the mandate."""
        for mandate in self._mandates.values():
            if self.methods[mandate["payment_method"]]["customer"] == customer:
                mandate["status"] = "inactive"
                self._emit("mandate.updated", mandate, now)

    def owner(self, token: str) -> str | None:
        """Whose an instrument is; None for one that was not saved here."""
        found = self.methods.get(token)
        return found["customer"] if found else None

    def effects(self) -> dict[str, dict[str, int]]:
        """How many there are by which money is or can be collected, by our ids."""
        found: dict[str, int] = {}
        for setup in self._setups.values():
            method = self.methods.get(setup["payment_method"] or "", {})
            pages = [
                one
                for one in self._sessions.values()
                if one["setup_intent"] == setup["id"] and one["status"] == "open"
            ]
            ours = setup["metadata"].get("mandate_id", setup["id"])
            found[ours] = found.get(ours, 0) + bool(pages or method.get("customer"))
        return {"mandate": {ours: count for ours, count in found.items() if count}}

    def _create_customer(self, params: Json, now: float) -> Json:
        customer = {
            "id": _id("cus"),
            "object": "customer",
            "created": int(now),
            "livemode": False,
            "email": params.get("email"),
            "name": params.get("name"),
            "metadata": params.get("metadata", {}),
        }
        self._customers[customer["id"]] = customer
        return customer

    def _create_session(self, params: Json, now: float) -> Json:
        require(params, "success_url", "mode", "customer", "payment_method_types")
        if params["mode"] != "setup":
            raise Refusal(400, {"param": "mode", "message": "Only setup is simulated."})
        self._known_customer(params["customer"])
        setup = self._new_setup(
            params, params.get("setup_intent_data", {}).get("metadata", {}), now
        )
        key = _id("cs_test")
        session = {
            "id": key,
            "object": "checkout.session",
            "created": int(now),
            "expires_at": int(now + _PAGE_LIFE_S),
            "livemode": False,
            "mode": "setup",
            "customer": params["customer"],
            "payment_method_types": params["payment_method_types"],
            "payment_status": "no_payment_required",
            "status": "open",
            "setup_intent": setup["id"],
            "success_url": params["success_url"],
            "cancel_url": params.get("cancel_url"),
            "url": f"https://checkout.stripe.com/c/pay/{key}",
            "metadata": params.get("metadata", {}),
            "automatic_tax": {"enabled": False, "status": None},
            "custom_fields": [],
            "custom_text": {"shipping_address": None, "submit": None},
            "shipping_options": [],
        }
        self._sessions[key] = session
        return session

    def _expire(self, session: str, _params: Json, now: float) -> Json:
        if session not in self._sessions:
            raise missing("session", session)
        found = self._sessions[session]
        if found["status"] != "open":
            raise Refusal(400, {"message": "Only Checkout Sessions that are open can be expired."})
        found.update(status="expired", url=None)
        self._emit("checkout.session.expired", found, now)
        return found

    def _create_setup(self, params: Json, now: float) -> Json:
        require(params, "customer", "payment_method_data")
        self._known_customer(params["customer"])
        data = params["payment_method_data"]
        if data.get("type") != "sepa_debit" or not params.get("confirm"):
            raise Refusal(400, {"message": "Only confirmed SEPA debits are simulated."})
        require(params, "mandate_data")
        owner = data.get("billing_details", {})
        for name, value in (
            ("sepa_debit[iban]", data.get("sepa_debit", {}).get("iban")),
            ("billing_details[name]", owner.get("name")),
            ("billing_details[email]", owner.get("email")),
        ):
            if not value:
                require({}, f"payment_method_data[{name}]")
        setup = self._new_setup(params, params.get("metadata", {}), now)
        self._succeed(setup, "sepa_debit", now)
        return setup

    def _new_setup(self, params: Json, metadata: Json, now: float) -> Json:
        setup = {
            "id": _id("seti"),
            "object": "setup_intent",
            "created": int(now),
            "livemode": False,
            "customer": params["customer"],
            "payment_method_types": params.get("payment_method_types", ["card"]),
            "payment_method": None,
            "mandate": None,
            "status": "requires_payment_method",
            "usage": "off_session",
            "metadata": metadata,
            "last_setup_error": None,
        }
        self._setups[setup["id"]] = setup
        self._emit("setup_intent.created", setup, now)
        return setup

    def _succeed(self, setup: Json, kind: str, now: float) -> None:
        method = {
            "id": _id("pm"),
            "object": "payment_method",
            "created": int(now),
            "livemode": False,
            "type": kind,
            "customer": setup["customer"],
            "billing_details": {"address": None, "email": None, "name": None, "phone": None},
        }
        self.methods[method["id"]] = method
        setup.update(status="succeeded", payment_method=method["id"])
        if kind != "card":
            mandate = _mandate(method["id"], kind)
            self._mandates[mandate["id"]] = mandate
            setup["mandate"] = mandate["id"]
        self._emit("setup_intent.succeeded", setup, now)

    def _detach(self, method: str, _params: Json, now: float) -> Json:
        if method not in self.methods:
            raise missing("payment_method", method)
        found = self.methods[method]
        if found["customer"] is None:
            message = "The payment method you provided is not attached to a customer."
            raise Refusal(400, {"message": message})
        found["customer"] = None
        self._emit("payment_method.detached", found, now)
        return found

    def _known_customer(self, customer: str) -> None:
        if customer not in self._customers:
            raise missing("customer", customer)

    def _read(self, things: dict[str, Json]) -> Callable[..., Json]:
        def read(key: str, _params: Json, _now: float) -> Json:
            if key not in things:
                raise missing("id", key)
            return things[key]

        return read

    def _list(self, things: dict[str, Json], url: str) -> Callable[..., Json]:
        def listed(params: Json, _now: float) -> Json:
            customer = params.get("customer")
            if customer is not None:
                self._known_customer(customer)
            found = [
                one
                for one in reversed(things.values())
                if customer in {None, one.get("customer")}
                and one["created"] >= int(params.get("created", {}).get("gte", 0))
            ]
            limit = params.get("limit", 10)
            if after := params.get("starting_after"):
                found = found[[one["id"] for one in found].index(after) + 1 :]
            more = len(found) > limit
            return {"object": "list", "data": found[:limit], "has_more": more, "url": url}

        return listed


def _mandate(method: str, kind: str) -> Json:
    details: Json = {"type": kind, kind: {}}
    if kind == "sepa_debit":
        details[kind] = {"reference": "SIMULATED", "url": "https://hooks.stripe.com/mandate"}
    if kind == "bacs_debit":
        details[kind] = {
            "network_status": "accepted",
            "reference": "SIMULATED",
            "revocation_reason": None,
            "url": "https://hooks.stripe.com/mandate",
        }
    return {
        "id": _id("mandate"),
        "object": "mandate",
        "livemode": False,
        "customer_acceptance": {"accepted_at": None, "type": "offline", "offline": {}},
        "payment_method": method,
        "payment_method_details": details,
        "status": "active",
        "type": "multi_use",
        "multi_use": {},
    }


def _id(prefix: str) -> str:
    return f"{prefix}_{uuid.uuid4().hex[:24]}"
