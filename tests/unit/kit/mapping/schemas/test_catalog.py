"""Where schemas are found; every type of every vendor's file resolves, to its last field."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from gateway.errors import Misconfigured
from gateway.kit.mapping.schemas import SchemaError, Schemas
from gateway.kit.mapping.types import Field, Kind, Shape, Type, Wire
from tests.unit.kit.mapping.schemas.little import ORDER, shape, write


def test_a_file_is_found_by_its_reference_or_in_a_folder(tmp_path: Path) -> None:
    """A named file wins over a folder; of the model a file may be given as well."""
    write(tmp_path, "order.json", {"type": "object", "properties": {"folder": {}}})
    path = write(tmp_path, "other.txt.json", ORDER)
    listed = Schemas({"schema:order": path, "canonical.Order": path}, folders=[tmp_path])

    assert ["folder"] == list(shape(Schemas(folders=[tmp_path]), "schema:order").fields)
    assert ["name", "at"] == list(shape(listed, "schema:order").fields)
    assert ["name", "at"] == list(shape(listed, "canonical.Order").fields)


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("schema:ordre", r"no file is known for schema:ordre \(did you mean schema:order\?\)"),
        ("schema:../order", r"no file is known for schema:\.\./order"),
        ("shema:order", r"unknown kind of schema 'shema' \(did you mean schema\?\)"),
        ("order", "unknown kind of schema 'order'"),
        ("schema:order#x", r"order\.json:1: has nothing at #/\$defs/x"),
    ],
)
def test_an_unknown_reference_is_our_mistake(tmp_path: Path, reference: str, message: str) -> None:
    """A person has to change the reference; names that come close are told."""
    inner = tmp_path / "inner"
    inner.mkdir()
    path = write(tmp_path, "order.json", ORDER)

    with pytest.raises(SchemaError, match=message) as caught:
        Schemas({"schema:order": path}, folders=[inner]).resolve(reference)
    assert isinstance(caught.value, Misconfigured)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """A missing file is an error about that file."""
    with pytest.raises(SchemaError, match=r"gone\.edmx: cannot be read"):
        Schemas({"edmx:gone": tmp_path / "gone.edmx"}).resolve("edmx:gone#X")


def test_a_file_is_read_once(tmp_path: Path) -> None:
    """A second type of the same file needs no file any more."""
    path = write(tmp_path, "o.json", {"$defs": {"a": ORDER, "b": ORDER}})
    schemas = Schemas({"schema:o": path, "openapi:o": path})
    schemas.resolve("schema:o#a")
    path.unlink()

    assert Kind.OBJECT is schemas.resolve("schema:o#b").kind
    assert Kind.OBJECT is schemas.resolve("openapi:o#/$defs/a").kind


def test_the_digest_changes_with_file_notes_and_struct(tmp_path: Path) -> None:
    """It names what a mapping was checked against."""
    path = write(tmp_path, "o.json", ORDER)
    notes = write(tmp_path, "notes.json", {})
    plain = Schemas({"schema:o": path}).digest("schema:o")
    noted = Schemas({"schema:o": path}, notes=notes).digest("schema:o")
    kinds = [
        msgspec.defstruct("Thing", [("a", kind)])  # the same name, another field
        for kind in (int, str)
    ]
    path.write_text(json.dumps({**ORDER, "title": "x"}), encoding="utf-8")
    digests = [Schemas(model=[kind]).digest("canonical.Thing") for kind in kinds]

    assert 4 == len({plain, noted, *digests})
    assert plain != Schemas({"schema:o": path}).digest("schema:o")
    assert digests[0] == Schemas(model=[kinds[0]]).digest("canonical.Thing")


def test_reading_a_large_service_is_quick(contracts: Path) -> None:
    """600 KB of metadata and one of its types take at most 50 ms of CPU."""
    path = contracts / "sap/odata-v2/API_BUSINESS_PARTNER.edmx"

    def seconds() -> float:
        before = os.times().user
        _ = shape(Schemas({"edmx:bp": path}), "edmx:bp#A_BusinessPartnerType").fields
        return os.times().user - before

    assert 0.05 >= min(seconds() for _ in range(5))


# Kind of reference, files, and how many fields they have at least in all: a reader that drops
# fields would otherwise pass.
_FILES = {
    "edmx": ("sap/odata-v*/*.edmx", 2400),
    "xsd": ("payments/sepa/xsd*/*.xsd", 7500),
    "wsdl": ("sap/soap*/*.wsdl", 900),
    "openapi": ("payments/*/*.json", 9000),
}


def fields(found: Type) -> Iterator[tuple[Shape, Field]]:
    """All fields that can be reached, each shape once."""
    seen: set[Shape] = set()
    queue = [found]
    while queue:
        each = queue.pop()
        if each.item is not None:
            queue.append(each.item)
        if each.shape is not None and each.shape not in seen:
            seen.add(each.shape)
            for field in each.shape.fields.values():
                yield each.shape, field
                queue.append(field.type)


def sources(contracts: Path, kind: str, pattern: str) -> dict[str, Path]:
    """The files of a kind, by reference."""
    paths = sorted(contracts.glob(pattern))
    if kind == "openapi":
        paths = [path for path in paths if b'"openapi"' in path.read_bytes()[:200_000]]
    return {f"{kind}:{path.parent.name}-{path.stem}": path for path in paths}


@pytest.mark.parametrize("kind", _FILES)
def test_every_type_resolves(contracts: Path, kind: str) -> None:
    """No file of a vendor has a type that cannot be read, and none is read as nothing."""
    pattern, least = _FILES[kind]
    files = sources(contracts, kind, pattern)
    schemas = Schemas(files)
    total = 0
    for source in files:
        found = {
            (shape.name, field.name)
            for name in schemas.names(source)
            for shape, field in fields(schemas.resolve(f"{source}#{name}"))
        }
        total += len(found)

    print(f"{kind}: {len(files)} files, {total} fields")
    assert least <= total


@pytest.mark.parametrize("path", ["mollie/openapi.yaml", "payone/api-definition.yaml"])
def test_every_type_of_yaml_resolves(contracts: Path, path: str) -> None:
    """So it is with YAML, whose examples are no dates."""
    schemas = Schemas({"openapi:x": contracts / "payments" / path})
    names = schemas.names("openapi:x")

    assert 180 < len(names)
    assert 500 < sum(1 for name in names for _ in fields(schemas.resolve(f"openapi:x#{name}")))


def test_stripes_payment_intent(contracts: Path) -> None:
    """Moments, the expanded charge and the card in it, metadata with unknown keys."""
    path = contracts / "payments/stripe/spec3.2023-08-16.yaml"
    schemas = Schemas({"openapi:stripe": path})
    intent = schemas.resolve("openapi:stripe#payment_intent").shape
    assert intent is not None
    charge = intent.fields["latest_charge"].type
    assert charge.shape is not None
    details = charge.shape.fields["payment_method_details"].type.shape
    assert details is not None
    card = details.fields["card"].type.shape
    assert card is not None
    body = schemas.resolve("openapi:stripe#POST /v1/payment_intents").shape
    assert body is not None

    assert (Kind.OBJECT, True, "charge") == (charge.kind, charge.nullable, charge.shape.name)
    assert {"brand", "last4", "exp_month", "exp_year"} <= card.fields.keys()
    assert (Kind.INSTANT, Wire.EPOCH) == (
        intent.fields["created"].type.kind,
        intent.fields["created"].type.wire,
    )
    assert 7 == len(intent.fields["status"].type.values or ())
    assert Kind.MAP is intent.fields["metadata"].type.kind
    assert (True, True) == (body.fields["amount"].required, body.fields["currency"].required)


def test_a_direct_debit(contracts: Path) -> None:
    """The amount of pain.008 has its currency as attribute and five decimals."""
    schemas = Schemas({"xsd:pain": contracts / "payments/sepa/xsd/pain.008.001.08.xsd"})
    found = {shape.name: shape for shape, _ in fields(schemas.resolve("xsd:pain#Document"))}
    amount = found["ActiveOrHistoricCurrencyAndAmount"].fields

    assert (18, 5) == (amount["value"].type.precision, amount["value"].type.scale)
    assert (True, True) == (amount["Ccy"].attribute, amount["Ccy"].required)
    assert "urn:iso:std:iso:20022:tech:xsd:pain.008.001.08" == found["Document"].namespace
