"""A small source and target with a field for every kind of value, for tests of single rules."""

import json
from pathlib import Path
from typing import Any, Final

from gateway.kit import mapping
from gateway.kit.mapping.schemas import Schemas


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [schema, {"type": "null"}], "default": None}


def _object(required: str = "", **properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": required.split(),
        "additionalProperties": False,
    }


def _text(length: int) -> dict[str, Any]:
    return {"type": "string", "maxLength": length}


def _list(item: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": item}


MONEY: Final = {
    "title": "Money",
    **_object("amount currency", amount={"type": "string", "format": "decimal"}, currency=_text(3)),
}
LINE: Final = _object(
    "sku quantity price",
    sku=_text(10),
    quantity={"type": "integer", "minimum": 1, "maximum": 99},
    price=MONEY,
    tags=_list(_text(5)),
    weight={"type": "string", "format": "decimal"},
)
SOURCE: Final = _object(
    "number kind placed on total fee lines country",
    number=_text(10),
    kind={"enum": ["new", "used"]},
    country={"type": "string", "pattern": "^[A-Z]{2}$"},
    note=_nullable(_text(20)),
    code=_nullable({"enum": ["vat", "national"]}),
    placed={"type": "string", "format": "date-time"},
    on={"type": "string", "format": "date"},
    total=MONEY,
    fee=MONEY,
    ratio={"type": "number"},
    express=_nullable({"type": "boolean"}),
    owner=_nullable(_object("name", name=_text(30), alias=_nullable(_text(30)))),
    lines=_list(LINE),
    others=_list(LINE),
    tags={**_list(_text(5)), "maxItems": 3},
)
ITEM: Final = _object(
    "",
    Sku=_text(10),
    No={"type": "integer"},
    Text=_text(40),
    Parts=_list(_object("", Tag=_text(5))),
)
TARGET: Final = _object(
    "Number",
    Number=_text(10),
    Kind={"enum": ["N", "U"]},
    Short=_text(3),
    Twenty=_text(20),
    Text={"type": "string"},
    Long={"type": "string", "minLength": 3},
    Country={"type": "string", "pattern": "^[A-Z]{2}$"},
    Day={"type": "string", "format": "date"},
    Moment={"type": "string", "format": "date-time"},
    Amount={"type": "string", "format": "decimal"},
    Whole={"type": "integer", "minimum": 0, "maximum": 100},
    Flag={"type": "boolean"},
    Stamp={"type": "string", "readOnly": True},
    Currency=_text(3),
    Owner=_object("", Name=_text(30)),
    Items=_list(ITEM),
    More=_list(ITEM),
)
HEAD: Final = "mapping: small.test\nversion: 1.0.0\nfrom: schema:Source\nto: schema:Target\n"
VALUE: Final[dict[str, Any]] = {
    "number": "12",
    "kind": "new",
    "country": "DE",
    "placed": "2026-03-29T00:30:00+01:00",
    "on": "2026-03-29",
    "total": {"amount": "12.50", "currency": "EUR"},
    "fee": {"amount": "0.50", "currency": "EUR"},
    "lines": [
        {"sku": "a", "quantity": 2, "price": {"amount": "1.00", "currency": "EUR"}, "tags": ["x"]},
        {"sku": "b", "quantity": 3, "price": {"amount": "2.00", "currency": "EUR"}},
        {"sku": "a", "quantity": 5, "price": {"amount": "1.00", "currency": "EUR"}},
    ],
}


def schemas(folder: Path, **changed: dict[str, Any]) -> Schemas:
    """Both ends; ``Source=…`` or ``Target=…`` stands for another release."""
    files = {}
    for name, schema in {"Source": SOURCE, "Target": TARGET, **changed}.items():
        path = folder / f"{name}.{len(changed)}.schema.json"
        path.write_text(json.dumps({"title": name, **schema}), encoding="utf-8")
        files[f"schema:{name}"] = path
    return Schemas(files)


def check(text: str, known: Schemas, **more: Any) -> mapping.Result:
    """A mapping without its head, checked."""
    return mapping.check(mapping.parse(HEAD + text, file="small.yaml"), known, **more)


def found(result: mapping.Result) -> list[tuple[str, str]]:
    """Code and place of each finding; what the small mappings do not read is left out."""
    return [(each.code, each.place) for each in result.findings if each.code != "W22"]


def target(text: str, known: Schemas, value: Any = None, **more: Any) -> Any:
    """What comes out for a source as JSON."""
    result = check(text, known, **more)
    assert result.mapping is not None, [str(finding) for finding in result.findings]
    return result.mapping.apply_json(json.dumps({**VALUE, **(value or {})}))
