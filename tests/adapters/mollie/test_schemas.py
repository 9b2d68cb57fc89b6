"""Our reduced schemas of Mollie against Mollie's own OpenAPI document, where it is at hand."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.kit.mapping import installed
from gateway.kit.mapping.schemas import Schemas
from gateway.kit.mapping.types import Field, Type

SPEC = Path("payments/mollie/openapi.yaml")
ANSWERS = {
    "payment": "payment-response",
    "refund": "entity-refund-response",
    "chargeback": "entity-chargeback",
}
BODIES = {
    "payment": "POST /v2/payments",
    "capture": "POST /v2/payments/{paymentId}/captures",
    "refund": "POST /v2/payments/{paymentId}/refunds",
}
# Metadata is any JSON with them, and its keys are ours.
KNOWN = ("metadata",)
# Written by Mollie only; the document demands them of requests as well.
READ_ONLY = ("resource", "id", "mode", "status", "createdAt", "paymentId", "_links")


@pytest.fixture(scope="module")
def theirs(contracts: Path) -> Schemas:
    """Mollie's document."""
    if not (contracts / SPEC).is_file():
        pytest.skip("contracts not found")
    return Schemas({"openapi:mollie": contracts / SPEC})


def ours(reference: str) -> Type:
    return installed.product("mollie").schemas.resolve(reference)


def fields(kind: Type) -> dict[str, Field]:
    return dict(kind.shape.fields) if kind.shape is not None else {}


def unread(our: Type, their: Type, path: str) -> Iterator[str]:
    """What Mollie may answer by its document and our schema would refuse."""
    for name, field in fields(our).items():
        at, known = f"{path}.{name}", fields(their).get(name)
        if known is None:
            yield f"{at}: Mollie has no such field"
            continue
        if field.type.nullable < known.type.nullable:
            yield f"{at}: may be null"
        if field.required and not (known.required or known.present):
            yield f"{at}: may be missing"
        values = field.type.values
        if values is not None and (more := set(known.type.values or ()) - set(values)):
            yield f"{at}: {sorted(more)}"
        yield from unread(field.type, known.type, at)


def refused(our: Type, their: Type, path: str) -> Iterator[str]:
    """What our schema lets pass and Mollie refuses by its document."""
    demanded = {name for name, field in fields(their).items() if field.required}
    missing = demanded - fields(our).keys() - set(READ_ONLY)
    yield from (f"{path}.{name}: Mollie demands it" for name in missing)
    for name, field in fields(our).items():
        at = f"{path}.{name}"
        if name not in fields(their):
            yield f"{at}: Mollie takes no such field"
        elif name not in KNOWN:
            known = fields(their)[name].type
            yield from _wider(field.type, known, at)
            yield from refused(field.type, known, at)


def _wider(our: Type, their: Type, at: str) -> Iterator[str]:
    if our.nullable > their.nullable:
        yield f"{at}: is never null"
    if their.values is not None and not set(our.values or ("any",)) <= set(their.values):
        yield f"{at}: takes {their.values}"
    limit = their.max_length
    if limit is not None and our.values is None and (our.max_length or limit + 1) > limit:
        yield f"{at}: takes {limit} characters"


@pytest.mark.parametrize("name", ANSWERS)
def test_all_that_mollie_may_answer_can_be_read(theirs: Schemas, name: str) -> None:
    """No field of ours is unknown or more certain than Mollie's document says."""
    found = unread(ours(f"schema:{name}"), theirs.resolve(f"openapi:mollie#{ANSWERS[name]}"), name)

    assert [] == list(found)


@pytest.mark.parametrize("name", BODIES)
def test_all_that_we_may_send_is_taken(theirs: Schemas, name: str) -> None:
    """No body of ours has a field, a code or a length that Mollie's document does not take."""
    found = refused(
        ours(f"schema:bodies#{name}"), theirs.resolve(f"openapi:mollie#{BODIES[name]}"), name
    )

    assert [] == list(found)


def test_drift_is_noticed(theirs: Schemas) -> None:
    """A chargeback is no payment, and a body of one is none of the other."""
    chargeback = theirs.resolve("openapi:mollie#entity-chargeback")
    capture = theirs.resolve(f"openapi:mollie#{BODIES['capture']}")

    assert "x.status: Mollie has no such field" in list(
        unread(ours("schema:payment"), chargeback, "x")
    )
    assert "x.method: Mollie takes no such field" in list(
        refused(ours("schema:bodies#payment"), capture, "x")
    )
