"""The vault of the simulated PayPal: setup tokens, and the agreements that come of them.

Source: vault_payment_tokens_v3 of 2024-02 and developer.paypal.com/docs/multiparty/checkout/
save-payment-methods/purchase-later, read 2026-11. What a repetition is told, and that an unknown
customer is missing, was not tried.
"""

import uuid
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from adapters.paypal.simulator_rules import VAULT, Refusal

Json: TypeAlias = dict[str, Any]
Verb: TypeAlias = Callable[..., tuple[int, Json | None]]

_API: Final = "https://api-m.sandbox.paypal.com"
_PAGE: Final = "https://www.sandbox.paypal.com/agreements/approve?approval_session_id="
_LIFE_S: Final = 3 * 86_400


class Vault:
    """The vault of one account.

    Args:
        emit: Reports a thing: kind of event, thing, time.
    """

    def __init__(self, emit: Callable[[str, Json, float], None]) -> None:
        self._emit = emit
        self._setups: dict[str, tuple[Json, float]] = {}
        self.tokens: dict[str, Json] = {}
        self._customers: set[str] = set()
        one = "/v3/vault/payment-tokens/{}"
        self.routes: list[tuple[str, str, Verb]] = [
            ("POST", "/v3/vault/setup-tokens", self._create_setup),
            ("GET", "/v3/vault/setup-tokens/{}", self._show_setup),
            ("POST", "/v3/vault/payment-tokens", self._create_token),
            ("GET", "/v3/vault/payment-tokens", self._list),
            ("GET", one, self._show),
            ("DELETE", one, self._delete),
        ]

    def outcome(self, name: str, token: str) -> str | None:
        """What becomes of a payment by what is saved; None where nothing is."""
        return "COMPLETED" if token in self.tokens else VAULT[name].get(token)

    def approve(self, setup: str) -> None:
        """The payer agrees on the page; nothing comes of it by itself."""
        self._setups[setup][0]["status"] = "APPROVED"

    def remove(self, token: str, now: float) -> None:
        """The payer ends the agreement at PayPal."""
        self._emit("VAULT.PAYMENT-TOKEN.DELETED", self.tokens.pop(token), now)

    def effects(self) -> dict[str, int]:
        """How many there are by which money is or can be collected, by the vault's customer."""
        found: dict[str, int] = {}
        waiting = [one for one, _ in self._setups.values() if one["status"] != "VAULTED"]
        for one in (*waiting, *self.tokens.values()):
            found[one["customer"]["id"]] = found.get(one["customer"]["id"], 0) + 1
        return found

    def _create_setup(self, _request: Any, given: Json, now: float) -> tuple[int, Json]:
        source = given.get("payment_source", {}).get("paypal")
        if not isinstance(source, dict):
            raise Refusal(422, "ONE_OF_PARAMETERS_REQUIRED", "/payment_source")
        context = source.get("experience_context", {})
        if not context.get("return_url") or not context.get("cancel_url"):
            raise Refusal(400, "MISSING_REQUIRED_PARAMETER", "/payment_source/paypal")
        key = uuid.uuid4().hex[:17].upper()
        setup = {
            "id": key,
            "customer": {"id": given.get("customer", {}).get("id", f"c{key}")},
            "status": "PAYER_ACTION_REQUIRED",
            "payment_source": {"paypal": {"usage_type": source.get("usage_type", "MERCHANT")}},
            "links": [
                _link("approve", f"{_PAGE}{key}"),
                _link("self", f"{_API}/v3/vault/setup-tokens/{key}"),
            ],
        }
        self._setups[key] = setup, now + _LIFE_S
        return 201, setup

    def _show_setup(self, setup: str, _request: Any, _given: Json, now: float) -> tuple[int, Json]:
        found, until = self._setups.get(setup, ({}, 0.0))
        if until <= now:
            raise Refusal(404, "INVALID_RESOURCE_ID")
        return 200, found

    def _create_token(self, _request: Any, given: Json, now: float) -> tuple[int, Json]:
        named = given.get("payment_source", {}).get("token", {})
        if named.get("type") != "SETUP_TOKEN":
            raise Refusal(422, "INVALID_PARAMETER_VALUE", "/payment_source/token/type")
        found, until = self._setups.get(named.get("id", ""), ({}, 0.0))
        if until <= now or found["status"] != "APPROVED":
            raise Refusal(422, "INVALID_SETUP_TOKEN", "/payment_source/token/id")
        found["status"] = "VAULTED"
        key = f"v{uuid.uuid4().hex[:16]}"
        token = {
            "id": key,
            "customer": found["customer"],
            "payment_source": {"paypal": {"account_id": "VYYFH3WJ4JPJQ"}},
            "links": [_link("self", f"{_API}/v3/vault/payment-tokens/{key}")],
        }
        self.tokens[key] = token
        self._customers.add(found["customer"]["id"])
        self._emit("VAULT.PAYMENT-TOKEN.CREATED", token, now)
        return 201, token

    def _list(self, request: Any, _given: Json, _now: float) -> tuple[int, Json]:
        customer = request.url.params.get("customer_id", "")
        if customer not in self._customers:
            raise Refusal(404, "INVALID_RESOURCE_ID")
        mine = [one for one in self.tokens.values() if one["customer"]["id"] == customer]
        links = [_link("self", f"{_API}/v3/vault/payment-tokens?customer_id={customer}")]
        return 200, {"customer": {"id": customer}, "payment_tokens": mine, "links": links}

    def _show(self, token: str, *_: Any) -> tuple[int, Json]:
        if token not in self.tokens:
            raise Refusal(404, "INVALID_RESOURCE_ID")
        return 200, self.tokens[token]

    def _delete(self, token: str, _request: Any, _given: Json, now: float) -> tuple[int, None]:
        self._show(token)
        self.remove(token, now)
        return 204, None


def _link(rel: str, href: str) -> Json:
    return {"href": href, "rel": rel, "method": "GET"}
