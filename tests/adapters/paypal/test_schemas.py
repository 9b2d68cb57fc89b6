"""Our reduced schemas of PayPal against PayPal's own OpenAPI documents, where they are at hand."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.kit.mapping import installed
from gateway.kit.mapping.schemas import Schemas
from gateway.kit.mapping.types import Field, Type

SPECS = {
    "orders": Path("payments/paypal/checkout_orders_v2.json"),
    "payments": Path("payments/paypal/payments_payment_v2.json"),
    "payouts": Path("payments/paypal/payments_payouts_batch_v1.json"),
}
BODIES = {
    "order": "orders#order_request",
    "confirm": "orders#confirm_order_request",
    "capture": "payments#capture_request",
    "refund": "payments#refund_request",
    "payout": "payouts#create_payout_request",
}
ANSWERS = {
    "order": "orders#order",
    "capture": "payments#capture",
    "refund": "payments#refund",
    "payout": "payouts#payout_batch_header",
}


@pytest.fixture(scope="module")
def theirs(contracts: Path) -> Schemas:
    """PayPal's documents."""
    if not all((contracts / one).is_file() for one in SPECS.values()):
        pytest.skip("contracts not found")
    return Schemas({f"openapi:{name}": contracts / path for name, path in SPECS.items()})


def ours(reference: str) -> Type:
    return installed.product("paypal").schemas.resolve(reference)


def fields(kind: Type) -> dict[str, Field]:
    return dict(kind.shape.fields) if kind.shape is not None else {}


def unknown(our: Type, their: Type, path: str) -> Iterator[str]:
    """Fields, codes and lengths of ours that PayPal's document does not have."""
    for name, field in fields(our).items():
        at, known = f"{path}.{name}", fields(their).get(name)
        if known is None:
            yield f"{at}: PayPal has no such field"
            continue
        more = set(field.type.values or ()) - set(known.type.values or field.type.values or ())
        if more:
            yield f"{at}: PayPal has no {sorted(more)}"
        limit = known.type.max_length
        if limit is not None and (field.type.max_length or 0) > limit:
            yield f"{at}: takes {limit} characters"
        yield from unknown(field.type, known.type, at)


@pytest.mark.parametrize("name", BODIES)
def test_all_that_we_may_send_is_known(theirs: Schemas, name: str) -> None:
    """No body of ours has a field, a code or a length that PayPal's document does not take."""
    found = unknown(ours(f"schema:bodies#{name}"), theirs.resolve(f"openapi:{BODIES[name]}"), name)

    assert [] == list(found)


@pytest.mark.parametrize("name", ANSWERS)
def test_all_that_we_read_is_known(theirs: Schemas, name: str) -> None:
    """No field of ours is unknown to PayPal's document."""
    found = unknown(ours(f"schema:{name}"), theirs.resolve(f"openapi:{ANSWERS[name]}"), name)

    assert [] == list(found)


def test_drift_is_noticed(theirs: Schemas) -> None:
    """A refund is no order."""
    found = unknown(ours("schema:bodies#order"), theirs.resolve("openapi:payments#refund"), "x")

    assert "x.intent: PayPal has no such field" in list(found)
