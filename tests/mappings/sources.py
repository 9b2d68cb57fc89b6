"""What the three reference mappings read, as Structs.

They are the canonical order and invoice, and the part of a Stripe PaymentIntent that a payment is
made from. The canonical ones say the same as ``contracts/mapping/model``; a test compares them.
"""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

Text10 = Annotated[str, Meta(max_length=10)]
Text40 = Annotated[str, Meta(max_length=40)]
Text60 = Annotated[str, Meta(max_length=60)]
Text100 = Annotated[str, Meta(max_length=100)]
Id = Annotated[str, Meta(max_length=36)]
Country = Annotated[str, Meta(min_length=2, max_length=2, pattern="^[A-Z]{2}$")]
Currency = Annotated[str, Meta(min_length=3, max_length=3, pattern="^[A-Z]{3}$")]
Language = Annotated[str, Meta(min_length=2, max_length=2, pattern="^[a-z]{2}$")]
Money = Annotated[Decimal, Meta(extra_json_schema={"x-precision": 15, "x-scale": 2})]


class Address(Struct, frozen=True, kw_only=True):
    """A place of a customer."""

    kind: Literal["registered", "billing", "shipping"]
    street: Text60
    city: Text40
    postal_code: Text10
    country: Country
    house_number: Text10 | None = None
    region: Annotated[str, Meta(max_length=3)] | None = None
    care_of: Text40 | None = None


class BankAccount(Struct, frozen=True, kw_only=True):
    """An account that is debited."""

    iban: Annotated[str, Meta(max_length=34, pattern="^[A-Z]{2}[0-9]{2}[A-Z0-9]{1,30}$")]
    holder: Text60
    bic: Annotated[str, Meta(max_length=11)] | None = None


class TaxId(Struct, frozen=True, kw_only=True):
    """A number that a tax office gave."""

    country: Country
    kind: Literal["vat", "national"]
    number: Annotated[str, Meta(max_length=20)]


class Customer(Struct, frozen=True, kw_only=True):
    """Who orders."""

    id: Id
    kind: Literal["person", "organization"]
    language: Language
    addresses: list[Address]
    salutation: Literal["mr", "ms", "company", "mx"] | None = None
    first_name: Text40 | None = None
    last_name: Text40 | None = None
    company_name: Annotated[str, Meta(max_length=80)] | None = None
    birth_date: date | None = None
    email: Annotated[str, Meta(max_length=241)] | None = None
    phone: Annotated[str, Meta(max_length=30)] | None = None
    bank_accounts: list[BankAccount] = msgspec.field(default_factory=list)
    tax_ids: list[TaxId] = msgspec.field(default_factory=list)
    payment_terms: Literal["immediate", "net14", "net30", "net60"] = "net30"


class OrderLine(Struct, frozen=True, kw_only=True):
    """What is ordered."""

    sku: Text40
    description: Text100
    quantity: Annotated[int, Meta(ge=1, le=999_999)]
    unit_price: Money


class Order(Struct, frozen=True, kw_only=True):
    """An order; ``placed_at`` is text as in the shared schema."""

    id: Id
    currency: Currency
    placed_at: str
    channel: Literal["web", "app", "dealer"]
    lines: list[OrderLine]


class CustomerOrder(Struct, frozen=True, kw_only=True):
    """A customer with the order that made them one."""

    customer: Customer
    order: Order


class InvoiceLine(Struct, frozen=True, kw_only=True):
    """A revenue and its tax."""

    text: Text100
    net: Money
    tax: Money
    tax_code: Literal["standard", "reduced", "zero", "reverse"]
    product_group: Literal["lease", "service", "usage", "fee"]


class Invoice(Struct, frozen=True, kw_only=True):
    """An invoice to be posted."""

    number: Annotated[str, Meta(max_length=16)]
    issued_on: date
    due_on: date
    currency: Currency
    customer_no: Text10
    company: Text10
    gross: Money
    lines: list[InvoiceLine]


class CardDetails(Struct, frozen=True, kw_only=True):
    """The card that was charged."""

    brand: str
    last4: Annotated[str, Meta(min_length=4, max_length=4)]
    exp_month: Annotated[int, Meta(ge=1, le=12)]
    exp_year: int


class MethodDetails(Struct, frozen=True, kw_only=True):
    """How it was paid."""

    type: str
    card: CardDetails | None = None


class Charge(Struct, frozen=True, kw_only=True):
    """The expanded charge."""

    payment_method_details: MethodDetails | None = None


class LastError(Struct, frozen=True, kw_only=True):
    """Why the last attempt failed."""

    type: str
    code: str | None = None
    message: str | None = None


class Metadata(Struct, frozen=True, kw_only=True):
    """What we gave Stripe to keep."""

    order_id: str | None = None


class PaymentIntent(Struct, frozen=True, kw_only=True):
    """The part of a PaymentIntent that we read.

    Source: design report "mapping-engine", §9.
    """

    id: str
    status: Literal[
        "requires_payment_method",
        "requires_confirmation",
        "requires_action",
        "processing",
        "requires_capture",
        "canceled",
        "succeeded",
    ]
    amount: int
    amount_received: int
    currency: Annotated[str, Meta(min_length=3, max_length=3, pattern="^[a-z]{3}$")]
    created: Annotated[int, Meta(extra_json_schema={"format": "unix-time"})]
    metadata: Metadata
    description: str | None = None
    latest_charge: Charge | None = None
    last_payment_error: LastError | None = None


def stripe_openapi() -> dict[str, Any]:
    """An OpenAPI document with the one schema ``payment_intent`` (and those it needs)."""
    [reference], components = msgspec.json.schema_components(
        [PaymentIntent], ref_template="#/components/schemas/{name}"
    )
    name = reference["$ref"].rpartition("/")[2]
    components["payment_intent"] = components.pop(name)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Stripe, the part of a PaymentIntent that is read", "version": "1"},
        "paths": {},
        "components": {"schemas": components},
    }
