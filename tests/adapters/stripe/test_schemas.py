"""Our reduced schemas of Stripe against Stripe's own OpenAPI document, where it is at hand."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.kit.mapping import installed
from gateway.kit.mapping.schemas import Schemas
from gateway.kit.mapping.types import Field, Type

SPEC = Path("payments/stripe/spec3.2023-08-16.yaml")
ANSWERS = (
    "payment_intent",
    "charge",
    "refund",
    "dispute",
    "payout",
    "transfer",
    "transfer_reversal",
)
FORMS = {
    "create": "POST /v1/payment_intents",
    "capture": "POST /v1/payment_intents/{intent}/capture",
    "increment": "POST /v1/payment_intents/{intent}/increment_authorization",
    "refund": "POST /v1/refunds",
    "payout": "POST /v1/payouts",
    "transfer": "POST /v1/transfers",
    "reversal": "POST /v1/transfers/{id}/reversals",
}
# A currency has three letters by the prose of the field, what is expandable is never expanded here,
# and the keys of metadata are ours.
KNOWN = ("currency", "payment_intent", "metadata", "destination", "transfer")

# For cards in person the document has it under another name; for others it is younger.
# Source: docs.stripe.com/payments/incremental-authorization, read 2026-11.
YOUNGER = (
    "create.payment_method_options.card.request_incremental_authorization:"
    " Stripe takes no such field"
)


@pytest.fixture(scope="module")
def theirs(contracts: Path) -> Schemas:
    """Stripe's document."""
    if not (contracts / SPEC).is_file():
        pytest.skip("contracts not found")
    return Schemas({"openapi:stripe": contracts / SPEC})


def ours(reference: str) -> Type:
    return installed.product("stripe").schemas.resolve(reference)


def fields(kind: Type) -> dict[str, Field]:
    return dict(kind.shape.fields) if kind.shape is not None else {}


def unread(our: Type, their: Type, path: str) -> Iterator[str]:
    """What Stripe may answer by its document and our schema would refuse."""
    for name, field in fields(our).items():
        at, known = f"{path}.{name}", fields(their).get(name)
        if known is None:
            yield f"{at}: Stripe has no such field"
            continue
        if field.type.nullable < known.type.nullable:
            yield f"{at}: may be null"
        if field.required and not (known.required or known.present):
            yield f"{at}: may be missing"
        if name not in KNOWN:
            yield from _narrower(field.type, known.type, at)
            yield from unread(field.type, known.type, at)


def _narrower(our: Type, their: Type, at: str) -> Iterator[str]:
    if our.kind is not their.kind:
        yield f"{at}: is {their.kind}, not {our.kind}"
    if our.values is not None and set(their.values or ()) - set(our.values):
        yield f"{at}: {sorted(set(their.values or ()) - set(our.values))}"
    limit = our.max_length
    if limit is not None and (their.max_length or limit + 1) > limit:
        yield f"{at}: may be longer than {limit}"


def refused(our: Type, their: Type, path: str) -> Iterator[str]:
    """What our schema lets pass and Stripe refuses by its document."""
    demanded = {name for name, field in fields(their).items() if field.required}
    yield from (f"{path}.{name}: Stripe demands it" for name in demanded - fields(our).keys())
    for name, field in fields(our).items():
        at = f"{path}.{name}"
        if name not in fields(their):
            yield f"{at}: Stripe takes no such field"
        elif name not in KNOWN:
            known = fields(their)[name].type
            yield from _wider(field.type.item or field.type, known.item or known, at)
            yield from refused(field.type, known, at)


def _wider(our: Type, their: Type, at: str) -> Iterator[str]:
    if our.kind is not their.kind:
        yield f"{at}: is {their.kind}, not {our.kind}"
    if their.values is not None and not set(our.values or ("any",)) <= set(their.values):
        yield f"{at}: takes {their.values}"
    limit = their.max_length
    if limit is not None and our.values is None and (our.max_length or limit + 1) > limit:
        yield f"{at}: takes {limit} characters"


@pytest.mark.parametrize("name", ANSWERS)
def test_all_that_stripe_may_answer_can_be_read(theirs: Schemas, name: str) -> None:
    """No field of ours is unknown, narrower or more certain than Stripe's document says."""
    found = unread(ours(f"schema:{name}"), theirs.resolve(f"openapi:stripe#{name}"), name)

    assert [] == list(found)


@pytest.mark.parametrize("name", FORMS)
def test_all_that_we_may_send_is_taken(theirs: Schemas, name: str) -> None:
    """No form of ours has a field, a code or a length that Stripe's document does not take."""
    found = refused(
        ours(f"schema:forms#{name}"), theirs.resolve(f"openapi:stripe#{FORMS[name]}"), name
    )

    assert [] == [one for one in found if one != YOUNGER]


def test_drift_is_noticed(theirs: Schemas) -> None:
    """A charge is no refund, and a form of one is none of the other."""
    charge = theirs.resolve("openapi:stripe#charge")
    capture = theirs.resolve(f"openapi:stripe#{FORMS['capture']}")

    assert "x.last_payment_error: Stripe has no such field" in list(
        unread(ours("schema:payment_intent"), charge, "x")
    )
    assert "x.capture_method: Stripe takes no such field" in list(
        refused(ours("schema:forms#create"), capture, "x")
    )
