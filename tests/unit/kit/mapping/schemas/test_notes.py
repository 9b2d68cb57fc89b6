"""The side file: what a schema cannot say."""

from pathlib import Path
from typing import Any

import pytest

from gateway.kit.mapping.schemas import SchemaError, Schemas
from gateway.kit.mapping.types import Field, Kind, Type
from tests.unit.kit.mapping.schemas.little import ORDER, shape, write


def noted(folder: Path, sections: Any) -> Schemas:
    """A schema whose type ``o`` has notes."""
    notes = write(folder, "notes.json", {"about": "x", "o": {"Thing": sections}})
    path = write(folder, "o.json", {"$defs": {"Thing": ORDER, "Other": ORDER}})
    return Schemas({"schema:o": path}, notes=notes)


def test_notes_add_what_a_schema_cannot_say(tmp_path: Path) -> None:
    """Required, optional, read-only, fixed values, and a better type; of that type only."""
    schemas = noted(
        tmp_path,
        {
            "required": ["name"],
            "optional": ["at"],
            "read_only": ["at"],
            "enums": {"name": ["1", "2"]},
            "types": {"at": {"type": "string", "format": "date-time"}},
        },
    )
    found, other = shape(schemas, "schema:o#Thing").fields, shape(schemas, "schema:o#Other").fields

    assert (True, ("1", "2")) == (found["name"].required, found["name"].type.values)
    assert (False, False, Kind.INSTANT) == (
        found["at"].required,
        found["at"].writable,
        found["at"].type.kind,
    )
    assert Field(name="name", type=Type(kind=Kind.TEXT)) == other["name"]


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        ({"required": ["nam"]}, r"notes\.json:1: Thing has no field nam \(did you mean name\?\)"),
        ({"requird": ["name"]}, r"unknown section requird \(did you mean required\?\)"),
    ],
)
def test_a_wrong_note_is_refused(tmp_path: Path, sections: Any, message: str) -> None:
    """A note about a field that is gone would otherwise be silent."""
    with pytest.raises(SchemaError, match=message):
        _ = shape(noted(tmp_path, sections), "schema:o#Thing").fields


def test_the_notes_of_the_contracts(contracts: Path) -> None:
    """What a create of a business partner needs comes from the side file."""
    schemas = Schemas(
        {"edmx:API_BUSINESS_PARTNER": contracts / "sap/odata-v2/API_BUSINESS_PARTNER.edmx"},
        notes=contracts / "mapping/mappings/schema-notes.json",
    )
    shape = schemas.resolve("edmx:API_BUSINESS_PARTNER#A_BusinessPartnerType").shape
    assert shape is not None
    required = {name for name, field in shape.fields.items() if field.required}
    bank = shape.fields["to_BusinessPartnerBank"].type.item
    assert bank is not None
    assert bank.shape is not None

    assert {
        "BusinessPartnerCategory",
        "BusinessPartnerGrouping",
        "to_BusinessPartnerRole",
    } == required
    assert ("1", "2", "3") == shape.fields["BusinessPartnerCategory"].type.values
    assert not bank.shape.fields["SWIFTCode"].writable
