"""The three reference tasks: what each reads, its function by hand, its files in the contracts."""

import functools
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from gateway.kit.mapping.schemas import Schemas
from tests.mappings import reference
from tests.mappings.sources import CustomerOrder, Invoice, PaymentIntent, stripe_openapi

# What a function written by hand may raise for data that it cannot translate.
FAILURES = (LookupError, ValueError, ArithmeticError)


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """A mapping with its equal written by hand.

    Attributes:
        name: Of the mapping file and the golden file.
        source: Struct of what it reads.
        config: Struct of the tenant's parameters, if it has some.
        by_hand: Source, and config where there is one, to target.
        schema: File of the source in ``mapping/model``; empty if ``stripe_openapi``.
        likely: For ``Inputs``: values without which nearly every input is refused.
    """

    name: str
    source: type[Any]
    config: type[Any] | None
    by_hand: Callable[..., dict[str, Any]]
    schema: str
    likely: Mapping[str, Sequence[Any]]

    def configured(self, contracts: Path) -> dict[str, Any]:
        """The tenant's parameters as JSON has them."""
        text = (contracts / "mapping/mappings/tenant-config.json").read_text(encoding="utf-8")
        return dict(json.loads(text).get(self.name, {}))

    def function(self, contracts: Path) -> Callable[[Any], dict[str, Any]]:
        """The function by hand, with its parameters."""
        if self.config is None:
            return self.by_hand
        config = msgspec.convert(self.configured(contracts), self.config)
        return functools.partial(self.by_hand, config=config)

    def golden(self, contracts: Path) -> list[dict[str, Any]]:
        """The examples: ``in`` and ``out``."""
        path = contracts / f"mapping/golden/{self.name}.jsonl"
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]

    def mapping(self, contracts: Path) -> Path:
        """The mapping file."""
        return contracts / f"mapping/mappings/{self.name}.yaml"

    def json_schema(self, contracts: Path) -> dict[str, Any]:
        """JSON schema of the source."""
        if not self.schema:
            return {**stripe_openapi(), "$ref": "#/components/schemas/payment_intent"}
        text = (contracts / "mapping/model" / self.schema).read_text(encoding="utf-8")
        return dict(json.loads(text))


def schemas(contracts: Path, folder: Path) -> Schemas:
    """Both ends of all tasks.

    Args:
        folder: Where the schema of the PaymentIntent may be written.
    """
    stripe = folder / "stripe.json"
    stripe.write_bytes(msgspec.json.encode(stripe_openapi()))
    model = contracts / "mapping/model"
    return Schemas(
        {
            "canonical.Payment": model / "payment.schema.json",
            "schema:JournalEntry": model / "journal-entry.schema.json",
            "edmx:API_BUSINESS_PARTNER": contracts / "sap/odata-v2/API_BUSINESS_PARTNER.edmx",
            "openapi:stripe": stripe,
        },
        model=[CustomerOrder, Invoice],
        notes=contracts / "mapping/mappings/schema-notes.json",
    )


TASKS = (
    Task(
        name="sap_bp",
        source=CustomerOrder,
        config=reference.SapConfig,
        by_hand=reference.sap_bp,
        schema="customer-order.schema.json",
        likely={
            "customer.addresses[].country": ("DE", "FR", "AT"),
            "customer.addresses[].kind": ("registered",) * 4 + ("billing", "shipping"),
        },
    ),
    Task(
        name="stripe_pi",
        source=PaymentIntent,
        config=None,
        by_hand=reference.stripe_pi,
        schema="",
        likely={
            "currency": ("eur", "usd", "jpy", "krw", "kwd", "tnd"),
            "latest_charge.payment_method_details.type": ("card", "sepa_debit", "paypal"),
        },
    ),
    Task(
        name="sap_je",
        source=Invoice,
        config=reference.PostingConfig,
        by_hand=reference.sap_je,
        schema="invoice.schema.json",
        likely={
            "company": ("DE01", "FR01"),
            "number": ("r2026-0004711", "ßßßßßßßß", "ŉ1", "", "İıiI", "abcdefghijklmnop"),
            "customer_no": ("10004711", "", "A1", "1234567890", "0", "ß"),
        },
    ),
)
