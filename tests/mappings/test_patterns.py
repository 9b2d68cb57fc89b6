"""Patterns, upper case and units of a schema hold when a message is decoded, and when checked."""

import io
import json
import re
from pathlib import Path
from typing import Annotated, Any

import msgspec
import pytest
from msgspec import Meta

from gateway.kit import mapping
from gateway.kit.mapping import bulk
from gateway.kit.mapping.projection import text_pattern
from gateway.kit.mapping.schemas import Schemas
from gateway.kit.mapping.types import Kind, Type
from tests.mappings import small

EDMX = """\
<edmx:Edmx Version="1.0" xmlns:edmx="http://schemas.microsoft.com/ado/2007/06/edmx">
<edmx:DataServices m:DataServiceVersion="2.0"
  xmlns:m="http://schemas.microsoft.com/ado/2007/08/dataservices/metadata">
<Schema Namespace="S" xmlns="http://schemas.microsoft.com/ado/2008/09/edm"
  xmlns:sap="http://www.sap.com/Protocols/SAPData">
<EntityType Name="A_Type"><Key><PropertyRef Name="Id"/></Key>
<Property Name="Id" Type="Edm.String" Nullable="false" MaxLength="10"/>
<Property Name="Net" Type="Edm.Decimal" Precision="19" Scale="4" sap:unit="TransactionCurrency"/>
<Property Name="TransactionCurrency" Type="Edm.String" MaxLength="5"/>
<Property Name="Quantity" Type="Edm.Decimal" Precision="19" Scale="4" sap:unit="Unit"/>
<Property Name="Unit" Type="Edm.String" MaxLength="3"/>
</EntityType></Schema></edmx:DataServices></edmx:Edmx>
"""
LAYOUT = "layout: rows\nform: csv\ncolumns: [{name: ID, width: 9}, {name: AREA}]\n"


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A row whose area has a pattern that may be checked in a column, whose id one that may not."""

    id: Annotated[str, Meta(max_length=9, pattern="^[^a]+$")]
    area: Annotated[str, Meta(pattern="^[A-Z]+$")] | None = None


def test_short_text_is_held_against_its_pattern(tmp_path: Path) -> None:
    """Each time, also after others matched, and after it was refused."""
    result = small.check("fields: {Number: number, Country: country}\n", small.schemas(tmp_path))
    loaded = result.mapping
    assert loaded is not None

    for country in ("DE", "FR", "DE"):
        body = json.dumps({**small.VALUE, "country": country})
        assert {"Number": "12", "Country": country} == loaded.apply_json(body)
        for bad in ("de", "DEU", "D\n", "D", None, 7):
            body = json.dumps({**small.VALUE, "country": bad})
            with pytest.raises(mapping.MappingFailure, match=r"not of its schema") as refused:
                loaded.apply_json(body)
            assert "$.country" == refused.value.path


@pytest.mark.parametrize(
    ("pattern", "fits", "bad"),
    [
        ("^[A-Z]{5}$", "ABCDE", "ABCDe"),
        ("^a.{4}$", "a---ß", "b"),
    ],
)
def test_longer_text_is_held_against_its_pattern(
    pattern: str, fits: str, bad: str, tmp_path: Path
) -> None:
    """The decoder does it."""
    source = {**small.SOURCE, "properties": {**small.SOURCE["properties"]}}
    source["properties"]["country"] = {"type": "string", "pattern": pattern}
    known = small.schemas(tmp_path, Source=source)
    text = "fields: {Number: number, Text: country}\n"

    assert {"Number": "12", "Text": fits} == small.target(text, known, {"country": fits})
    with pytest.raises(mapping.MappingFailure, match=r"not of its schema"):
        small.target(text, known, {"country": bad})


@pytest.mark.parametrize("regex", ["", "^[ -~À-ÿ]{1,9}\\Z"])
def test_upper_case_is_that_of_every_script(regex: str) -> None:
    """No letter that has an upper case, with and without a pattern beside it."""
    made = text_pattern(Type(kind=Kind.TEXT, upper=True, regex=regex))

    assert re.search(made, "ÄB 1") is not None
    for text in ("Äb", "ä", "ß", "ÿ"):
        assert re.search(made, text) is None


def test_what_is_not_read_is_not_held_against_its_pattern(tmp_path: Path) -> None:
    """A field that the mapping does not need cannot stop it."""
    known = small.schemas(tmp_path)

    assert {"Number": "12"} == small.target("fields: {Number: number}\n", known, {
        "country": "nowhere"
    })  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ("Net: total.amount | round(2), TransactionCurrency: total.currency", []),
        ("Net: 'dec(\"1.50\")'", [("E31", "/Net")]),
        ("Quantity: 'dec(\"1.50\")'", []),
    ],
)
def test_amount_of_the_target_has_its_currency(
    fields: str, expected: list[tuple[str, str]], tmp_path: Path
) -> None:
    """An amount is written with the currency beside it; a quantity has the unit of its product."""
    (tmp_path / "API.edmx").write_text(EDMX)
    (tmp_path / "Source.schema.json").write_text(json.dumps({"title": "Source", **small.SOURCE}))
    known = Schemas(folders=[tmp_path])
    text = small.HEAD.replace("schema:Target", "edmx:API#A_Type")
    text += f"fields: {{Id: number, {fields}}}\n"
    result = mapping.check(mapping.parse(text, file="small.yaml"), known)

    assert expected == small.found(result)


def exported(folder: Path, *found: dict[str, Any]) -> str:
    """Rows as CSV."""
    (folder / "rows.yaml").write_text(LAYOUT)
    schemas = Schemas(folders=[folder], model=[Row])
    text = "mapping: rows\nversion: 1.0.0\nfrom: canonical.Row\nto: csv:rows\n"
    loaded = mapping.load(
        mapping.parse(text + "fields: {ID: id, AREA: area}\n", file="rows.yaml"), schemas
    )
    out = io.BytesIO()
    lines = io.BytesIO(b"".join(msgspec.json.encode(row) + b"\n" for row in found))
    bulk.flat(loaded, schemas.layout("csv:rows")).write(lines, out)
    return out.getvalue().decode().replace("\r\n", "\n")


def test_rows_are_held_against_their_patterns(tmp_path: Path) -> None:
    """In whole columns where that is the same; the row that does not match is named."""
    good: list[dict[str, Any]] = [
        {"id": "1", "area": "DE"},
        {"id": "2"},
        {"id": "3;", "area": "FR"},
    ]

    assert ["1;DE", "2;", '"3;";FR'] == exported(tmp_path, *good).splitlines()[-3:]
    for bad in ({"id": "a"}, {"id": "4", "area": "de"}, {"id": "4", "area": "DE\nFR"}):
        with pytest.raises(bulk.RowRefused, match=r"row 4: .*not of its schema"):
            exported(tmp_path, *good, bad, *good)
