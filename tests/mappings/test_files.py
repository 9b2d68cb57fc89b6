"""Files that their readers understand: numbers in columns, encodings, layouts that can be read."""

import io
import json
from pathlib import Path
from typing import Any

import pytest

from gateway.errors import Misconfigured
from gateway.kit import mapping
from gateway.kit.mapping import bulk
from gateway.kit.mapping.schemas import Schemas

DECIMAL = {"type": "string", "format": "decimal", "x-precision": 5, "x-scale": 2}


def known(folder: Path, layout: dict[str, Any], **source: Any) -> Schemas:
    """A source with these fields, none required, and a layout."""
    schema = {"type": "object", "properties": source}
    (folder / "source.json").write_text(json.dumps(schema))
    (folder / "rows.json").write_text(json.dumps({"layout": "rows", **layout}))
    (folder / "rows.yaml").write_text(json.dumps({"layout": "rows", **layout}))
    return Schemas(
        {
            "schema:source": folder / "source.json",
            f"{layout['form']}:rows": folder / "rows.yaml",
        }
    )


def checked(schemas: Schemas, form: str, fields: str) -> mapping.Result:
    text = f"mapping: a\nversion: 1.0.0\nfrom: schema:source\nto: {form}:rows\nfields: {fields}"
    return mapping.check(mapping.parse(text, file="a.yaml"), schemas)


def written(folder: Path, layout: dict[str, Any], fields: str, *rows: Any, **source: Any) -> bytes:
    """The file for some rows."""
    schemas = known(folder, layout, **source)
    result = checked(schemas, layout["form"], fields)
    assert result.mapping is not None, [str(finding) for finding in result.findings]
    out = io.BytesIO()
    export = bulk.flat(result.mapping, schemas.layout(f"{layout['form']}:rows"))
    export.write([json.dumps(row).encode() for row in rows], out)
    return out.getvalue()


def test_zeros_stand_behind_the_sign(tmp_path: Path) -> None:
    """A number filled with zeros is still that number, and a missing one is not zero."""
    column = {"type": "decimal", "width": 8, "precision": 5, "scale": 2, "align": "right"}
    layout = {
        "form": "fixed",
        "decimal": ",",
        "columns": [{"name": "A", **column, "fill": "0"}, {"name": "N", "width": 2, "fill": "0"}],
    }

    assert b"-0001,50  \n          \n00001,50  \n" == written(
        tmp_path, layout, "{A: a}", {"a": "-1.50"}, {}, {"a": "1.50"}, a=DECIMAL
    )


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_one_byte_order_mark(encoding: str, tmp_path: Path) -> None:
    """It begins the file, not each of its blocks."""
    layout = {
        "form": "csv", "header": True, "encoding": encoding, "columns": [{"name": "A", "width": 4}],
    }  # fmt: skip
    rows = [{"a": "ä"}] * 600

    text = written(tmp_path, layout, "{A: a}", *rows, a={"type": "string", "maxLength": 4})

    assert ("A\n" + "ä\n" * 600).encode(encoding) == text


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"encoding": "rot13"}, "encoding is not known"),
        ({"separator": '"'}, "separator"),
        ({"separator": "\n"}, "separator"),
        ({"quote": "\r"}, "separator"),
        ({"date": "%d%n%m"}, "%n"),
        ({"columns": [{"name": "A", "type": "date", "pattern": "%%Y"}]}, "%%"),
        ({"columns": [{"name": "A", "type": "integer", "fill": "1"}]}, "another number"),
        ({"columns": [{"name": "A", "type": "integer", "fill": "0"}]}, "another number"),
    ],
)
def test_layout_that_nobody_could_read(
    change: dict[str, Any], complaint: str, tmp_path: Path
) -> None:
    """Refused when it is read, not by the reader of the file."""
    layout = {"form": "csv", "columns": [{"name": "A", "width": 4}], **change}

    with pytest.raises(Misconfigured, match=complaint):
        known(tmp_path, layout).resolve("csv:rows")


@pytest.mark.parametrize(
    ("column", "source"),
    [
        ({"type": "decimal", "precision": 9, "scale": 2}, {**DECIMAL, "x-precision": 5}),
        ({"type": "date"}, {"type": "string", "format": "date"}),
        ({"type": "date", "pattern": "%d.%m.%y"}, {"type": "string", "format": "date"}),
        ({"type": "instant"}, {"type": "string", "format": "date-time"}),
        ({"type": "time"}, {"type": "string", "format": "time"}),
        ({"type": "boolean"}, {"type": "boolean"}),
    ],
)
@pytest.mark.parametrize("form", ["csv", "fixed"])
def test_width_of_what_is_no_text(
    column: dict[str, Any], source: dict[str, Any], form: str, tmp_path: Path
) -> None:
    """E06 where a value may be wider than its column, none where all have room."""
    codes = []
    for width in (4, 30):
        layout = {"form": form, "columns": [{"name": "A", **column, "width": width}]}
        result = checked(known(tmp_path, layout, a=source), form, "{A: a}")
        codes.append([finding.code for finding in result.findings])

    assert [["E06"], []] == codes


def test_no_null_character_in_a_file(tmp_path: Path) -> None:
    """Readers end a text there."""
    layout = {"form": "csv", "columns": [{"name": "A", "width": 4}]}

    with pytest.raises(bulk.RowRefused, match="row 1"):
        written(tmp_path, layout, "{A: a}", {"a": "\x00"}, a={"type": "string", "maxLength": 4})
