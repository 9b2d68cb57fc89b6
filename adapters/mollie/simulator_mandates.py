"""The customers of the simulated Mollie, and their mandates.

Source: docs.mollie.com/reference: create-customer, create-mandate, get-mandate, revoke-mandate,
list-mandates, read 2026-11. That a revoked mandate is gone was not tried.
"""

from typing import Any, TypeAlias

import httpx

from adapters.mollie import simulator_objects as objects
from adapters.mollie import simulator_rules as rules
from adapters.mollie.simulator_rules import Refusal

Json: TypeAlias = dict[str, Any]


class Customers:
    """The customers of one profile.

    Attributes:
        methods: Customer to the mandates, each with its method; those of the sandbox first.
    """

    def __init__(self) -> None:
        self.methods = {name: dict(one) for name, one in rules.CUSTOMERS.items()}
        self._customers: dict[str, Json] = {}
        self._mandates: dict[str, Json] = {}

    def effects(self) -> dict[str, int]:
        """How many mandates there are by which money can be collected, by our ids."""
        found: dict[str, int] = {}
        for one in self._mandates.values():
            ours = objects.our_id(self._customers[one["customerId"]], "mandate_id")
            found[ours] = found.get(ours, 0) + (one["status"] != "invalid")
        return {ours: count for ours, count in found.items() if count}

    def become(self, mandate: str, status: str) -> None:
        """The payer's bank decides."""
        self._mandates[mandate]["status"] = status
        if status == "invalid":
            self.methods[self._mandates[mandate]["customerId"]].pop(mandate, None)

    def create(self, given: Json, _request: httpx.Request, now: float) -> tuple[int, Json]:
        """POST /v2/customers."""
        customer = objects.customer(given, now)
        self._customers[customer["id"]] = customer
        self.methods[customer["id"]] = {}
        return 201, customer

    def list(self, _given: Json, request: httpx.Request, _now: float) -> tuple[int, Json]:
        """GET /v2/customers."""
        shown = [*reversed(self._customers.values())]
        url = f"{objects.API}/customers"
        return 200, rules.page_of(shown, request.url.params, "customers", url)

    def show(
        self, customer: str, _given: Json, _request: httpx.Request, _now: float
    ) -> tuple[int, Json]:
        """GET /v2/customers/cst_1."""
        return 200, self._known(customer)

    def create_mandate(
        self, customer: str, given: Json, _request: httpx.Request, now: float
    ) -> tuple[int, Json]:
        """POST /v2/customers/cst_1/mandates."""
        self._known(customer)
        if given.get("method") != "directdebit":
            raise Refusal(422, "The method is invalid", "method")
        for name in ("consumerName", "consumerAccount"):
            if not given.get(name):
                raise Refusal(422, f"The '{name}' field is missing", name)
        mandate = objects.mandate(customer, given, now)
        self._mandates[mandate["id"]] = mandate
        self.methods[customer][mandate["id"]] = "directdebit"
        return 201, mandate

    def list_mandates(
        self, customer: str, _given: Json, request: httpx.Request, _now: float
    ) -> tuple[int, Json]:
        """GET /v2/customers/cst_1/mandates."""
        self._known(customer)
        mine = [one for one in self._mandates.values() if one["customerId"] == customer]
        url = f"{objects.API}/customers/{customer}/mandates"
        return 200, rules.page_of(mine[::-1], request.url.params, "mandates", url)

    def show_mandate(
        self, customer: str, mandate: str, _given: Json, _request: httpx.Request, _now: float
    ) -> tuple[int, Json]:
        """GET /v2/customers/cst_1/mandates/mdt_1."""
        return 200, self._mandate(customer, mandate)

    def revoke(
        self, customer: str, mandate: str, _given: Json, _request: httpx.Request, _now: float
    ) -> tuple[int, None]:
        """DELETE /v2/customers/cst_1/mandates/mdt_1."""
        self._mandate(customer, mandate)
        del self._mandates[mandate]
        self.methods[customer].pop(mandate, None)
        return 204, None

    def _known(self, customer: str) -> Json:
        if customer not in self._customers:
            raise Refusal(404, "No customer exists with this token")
        return self._customers[customer]

    def _mandate(self, customer: str, mandate: str) -> Json:
        self._known(customer)
        found = self._mandates.get(mandate)
        if found is None or found["customerId"] != customer:
            raise Refusal(404, "No mandate exists with this token")
        return found
