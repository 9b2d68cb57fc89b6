"""JSON Schema and OpenAPI as types of a mapping."""

import json
from pathlib import Path
from typing import Any

import pytest

from gateway.kit.mapping.schemas import SchemaError, Schemas
from gateway.kit.mapping.types import Field, Kind, Shape, Type


def fields_of(folder: Path, schema: dict[str, Any]) -> dict[str, Field]:
    """The fields of a schema that stands alone in a file."""
    return dict(shape_of(folder, schema).fields)


def shape_of(folder: Path, schema: dict[str, Any]) -> Shape:
    """The shape of a schema that stands alone in a file."""
    (folder / "x.json").write_text(json.dumps(schema), encoding="utf-8")
    shape = Schemas(folders=[folder]).resolve("schema:x").shape
    assert shape is not None
    return shape


def type_of(folder: Path, schema: dict[str, Any], **definitions: Any) -> Type:
    """The type of a property."""
    whole = {"type": "object", "properties": {"f": schema}, "$defs": definitions}
    return fields_of(folder, whole)["f"].type


TEXT = Type(kind=Kind.TEXT)


def test_fields_keep_order_and_what_stands_beside_the_type(tmp_path: Path) -> None:
    """Required, read-only, title and default are the field's; so is the order."""
    found = fields_of(
        tmp_path,
        {
            "type": "object",
            "required": ["b", "c"],
            "properties": {
                "c": {"type": "string", "readOnly": True},
                "b": {"type": "string", "title": "Name"},
                "a": {"type": "array", "items": {"type": "string"}, "default": []},
                "d": {"type": "integer", "default": 3},
            },
        },
    )

    assert ["c", "b", "a", "d"] == list(found)
    assert (False, True, False) == (found["c"].required, found["c"].present, found["c"].writable)
    assert (True, "Name") == (found["b"].required, found["b"].label)
    assert ((), 3) == (found["a"].default, found["d"].default)


def test_all_of_holds_together(tmp_path: Path) -> None:
    """Fields of all parts, the narrower of two lengths, required if one says so."""
    found = fields_of(
        tmp_path,
        {
            "allOf": [{"$ref": "#/$defs/base"}, {"required": ["a"]}],
            "properties": {"b": {"type": "string", "maxLength": 5}},
            "$defs": {
                "base": {
                    "type": "object",
                    "properties": {"a": {"type": "string"}, "b": {"maxLength": 9}},
                }
            },
        },
    )

    assert {"a", "b"} == set(found)
    assert found["a"].required
    assert 5 == found["b"].type.max_length


def test_a_reference_with_null_beside_it(tmp_path: Path) -> None:
    """``anyOf`` with null, ``nullable`` beside ``$ref`` and beside ``allOf`` all allow null."""
    thing = {"type": "object", "properties": {"a": {"type": "string"}}}
    reference = {"$ref": "#/$defs/thing"}
    for schema in (
        {"anyOf": [reference, {"type": "null"}]},
        {"nullable": True, "allOf": [reference]},
        {**reference, "nullable": True},
    ):
        found = type_of(tmp_path, schema, thing=thing)

        assert (Kind.OBJECT, True) == (found.kind, found.nullable)
        assert found.shape is not None
        assert ["a"] == list(found.shape.fields)
    assert not type_of(tmp_path, reference, thing=thing).nullable


def test_an_expandable_field_is_the_object(tmp_path: Path) -> None:
    """Stripe's field that is an id or the object is read as the object, under its own name."""
    charge = {"type": "object", "properties": {"id": {"type": "string"}}}
    schema = {"anyOf": [{"type": "string", "maxLength": 5000}, {"$ref": "#/$defs/charge"}]}
    found = type_of(tmp_path, schema, charge=charge)

    assert Kind.OBJECT is found.kind
    assert found.shape is not None
    assert "charge" == found.shape.name


def test_one_of_several_objects_has_the_fields_of_all(tmp_path: Path) -> None:
    """A field that one of them lacks is not always there; values of the tag come together."""
    shape = shape_of(
        tmp_path,
        {
            "oneOf": [
                {
                    "type": "object",
                    "required": ["type", "card"],
                    "properties": {"type": {"const": "card"}, "card": {"maxLength": 4}},
                },
                {
                    "type": "object",
                    "required": ["type"],
                    "properties": {"type": {"const": "sepa"}, "card": {"maxLength": 9}},
                },
            ],
        },
    )

    assert ("card", "sepa") == shape.fields["type"].type.values
    assert shape.fields["type"].required
    assert (9, False) == (shape.fields["card"].type.max_length, shape.fields["card"].required)


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"additionalProperties": {"type": "string"}}, Kind.MAP),
        ({"additionalProperties": False}, Kind.OBJECT),
        ({"properties": {"a": {}}}, Kind.OBJECT),
        ({"properties": {"a": {}}, "additionalProperties": True}, Kind.OBJECT),
        ({"properties": {"a": {}}, "patternProperties": {"^x": {}}}, Kind.OBJECT),
        ({}, Kind.MAP),
    ],
)
def test_objects_or_maps(tmp_path: Path, schema: dict[str, Any], expected: Kind) -> None:
    """Keys of which none is known make a map."""
    found = type_of(tmp_path, {"type": "object", **schema})

    assert expected is found.kind


def test_cycles_end(tmp_path: Path) -> None:
    """A list of itself, a parent of its children, and a reference in a circle are read."""
    found = fields_of(
        tmp_path,
        {
            "type": "object",
            "properties": {
                "tree": {"$ref": "#/$defs/tree"},
                "pet": {"$ref": "#/$defs/pet"},
                "circle": {"$ref": "#/$defs/circle"},
            },
            "$defs": {
                "tree": {"type": "array", "items": {"$ref": "#/$defs/tree"}},
                "circle": {"$ref": "#/$defs/circle"},
                "pet": {
                    "type": "object",
                    "properties": {"kind": {"type": "string"}},
                    "oneOf": [{"$ref": "#/$defs/cat"}, {"$ref": "#/$defs/dog"}],
                },
                "cat": {"allOf": [{"$ref": "#/$defs/pet"}], "properties": {"lives": {}}},
                "dog": {"allOf": [{"$ref": "#/$defs/pet"}], "properties": {"friend": {}}},
            },
        },
    )

    assert Kind.LIST is found["tree"].type.kind
    assert Kind.ANY is found["circle"].type.kind
    assert found["pet"].type.shape is not None
    assert {"kind", "lives", "friend"} == set(found["pet"].type.shape.fields)


def test_a_child_does_not_get_the_fields_of_its_siblings(tmp_path: Path) -> None:
    """``allOf`` the parent gives the parent's own fields."""
    shape = shape_of(
        tmp_path,
        {
            "$ref": "#/$defs/cat",
            "$defs": {
                "pet": {
                    "properties": {"kind": {}},
                    "oneOf": [{"$ref": "#/$defs/cat"}, {"$ref": "#/$defs/dog"}],
                },
                "cat": {"allOf": [{"$ref": "#/$defs/pet"}], "properties": {"lives": {}}},
                "dog": {"allOf": [{"$ref": "#/$defs/pet"}], "properties": {"friend": {}}},
            },
        },
    )

    assert {"kind", "lives"} == set(shape.fields)


def test_references_lead_to_other_files(tmp_path: Path) -> None:
    """A relative file is read, once, and counts for the digest."""
    (tmp_path / "address.yaml").write_text("$defs: {a/b: {type: string, maxLength: 7}}\n")
    schema = {"type": "object", "properties": {"f": {"$ref": "address.yaml#/$defs/a~1b"}}}
    (tmp_path / "x.json").write_text(json.dumps(schema), encoding="utf-8")
    schemas = Schemas(folders=[tmp_path])
    shape = schemas.resolve("schema:x").shape
    assert shape is not None
    before = schemas.digest("schema:x")

    assert 7 == shape.fields["f"].type.max_length

    (tmp_path / "address.yaml").write_text("$defs: {a/b: {type: string, maxLength: 8}}\n")

    assert before != Schemas(folders=[tmp_path]).digest("schema:x")


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("#/$defs/addres", r"x\.json:4: .*leads nowhere.*did you mean address\?"),
        ("https://example.com/a.json", r"x\.json:4: .*nothing is fetched"),
        ("/etc/passwd", r"x\.json:4: .*must be relative"),
        ("gone.json#/a", r"gone\.json: cannot be read"),
        ("#anchor", r"x\.json:4: .*write it as a path"),
    ],
)
def test_a_reference_that_leads_nowhere_names_its_line(
    tmp_path: Path, reference: str, message: str
) -> None:
    """File, line and what to do; the network is not asked."""
    (tmp_path / "x.json").write_text(
        '{"type": "object",\n "properties": {\n'
        f'  "f": {{"title": "F",\n   "$ref": "{reference}"}}}},\n "$defs": {{"address": {{}}}}}}'
    )
    shape = Schemas(folders=[tmp_path]).resolve("schema:x").shape
    assert shape is not None

    with pytest.raises(SchemaError, match=message):
        _ = shape.fields


OPENAPI = """
openapi: 3.0.3
paths:
  /refunds:
    post:
      requestBody:
        content:
          application/x-www-form-urlencoded:
            schema: {type: object, properties: {amount: {type: integer}}}
components:
  schemas:
    country: {type: string, enum: [DE, NO, AT]}
    moment: {type: string, example: 2024-02-30T25:61:00}
    refund: {type: object, properties: {country: {$ref: '#/components/schemas/country'}}}
"""


def test_openapi_names_components_and_bodies(tmp_path: Path) -> None:
    """A component by name, the body of a request by method and path, anything by pointer."""
    (tmp_path / "api.yaml").write_text(OPENAPI)
    schemas = Schemas(folders=[tmp_path])

    assert ["country", "moment", "refund"] == schemas.names("openapi:api")
    for name, expected in (
        ("POST /refunds", "amount"),
        ("refund", "country"),
        ("/components/schemas/refund", "country"),
    ):
        shape = schemas.resolve(f"openapi:api#{name}").shape
        assert shape is not None
        assert [expected] == list(shape.fields)


def test_yaml_is_read_as_openapi_means_it(tmp_path: Path) -> None:
    """``NO`` is Norway, and an example that is no date is a text."""
    (tmp_path / "api.yaml").write_text(OPENAPI)
    schemas = Schemas(folders=[tmp_path])

    assert ("DE", "NO", "AT") == schemas.resolve("openapi:api#country").values
    assert TEXT == schemas.resolve("openapi:api#moment")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [1, 2\nb: 3", r"api\.yaml:2: is not YAML"),
        ("- 1", r"api\.yaml:1: must have an object"),
        ("a: &x 1\nb: *x", r"api\.yaml:2: has an alias"),
    ],
)
def test_a_broken_file_names_its_line(tmp_path: Path, text: str, message: str) -> None:
    """Syntax, a list at the root and aliases are refused."""
    (tmp_path / "api.yaml").write_text(text)

    with pytest.raises(SchemaError, match=message):
        Schemas(folders=[tmp_path]).resolve("openapi:api#x")


def test_a_star_in_a_block_text_is_no_alias(tmp_path: Path) -> None:
    """Descriptions in Markdown have lists with stars."""
    (tmp_path / "api.yaml").write_text(
        "components:\n  schemas:\n    a:\n      type: string\n"
        "      description: |\n        - *one*\n"
    )

    assert TEXT == Schemas(folders=[tmp_path]).resolve("openapi:api#a")


def test_one_type_costs_only_itself(tmp_path: Path) -> None:
    """A broken neighbour does not matter until a mapping gets there."""
    schemas = {
        "good": {"type": "object", "properties": {"a": {"type": "string"}}},
        "bad": {"type": "object", "properties": {"a": {"$ref": "#/nowhere"}}},
    }
    (tmp_path / "api.json").write_text(json.dumps({"components": {"schemas": schemas}}))
    found = Schemas(folders=[tmp_path])
    good, bad = found.resolve("openapi:api#good").shape, found.resolve("openapi:api#bad").shape
    assert good is not None
    assert bad is not None

    assert ["a"] == list(good.fields)
    with pytest.raises(SchemaError):
        _ = bad.fields


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ({"anyOf": {}}, "anyOf must be a list"),
        ({"maxLength": "5", "type": "string"}, "maxLength must be of type int"),
        ({"items": {"anyOf": [1]}}, "a schema must be an object"),
        ({"type": "text"}, "type text is not one of JSON Schema's"),
    ],
)
def test_a_malformed_schema_is_refused(
    tmp_path: Path, schema: dict[str, Any], message: str
) -> None:
    """What JSON Schema does not allow is named, not guessed."""
    with pytest.raises(SchemaError, match=message):
        type_of(tmp_path, schema)


def test_true_allows_everything(tmp_path: Path) -> None:
    """A schema may be a mere boolean."""
    assert Kind.ANY is fields_of(tmp_path, {"properties": {"f": True}})["f"].type.kind


def test_json_that_is_none_is_refused(tmp_path: Path) -> None:
    """The decoder's reason is passed on."""
    (tmp_path / "x.json").write_text("{")

    with pytest.raises(SchemaError, match=r"x\.json: is not JSON"):
        Schemas(folders=[tmp_path]).resolve("schema:x")


def test_older_files_call_them_definitions(tmp_path: Path) -> None:
    """``definitions`` are found like ``$defs``."""
    (tmp_path / "x.json").write_text('{"definitions": {"a": {"type": "string"}}}')
    schemas = Schemas(folders=[tmp_path])

    assert ["a"] == schemas.names("schema:x")
    assert TEXT == schemas.resolve("schema:x#a")


def test_a_shared_body_is_found_and_a_missing_one_named(tmp_path: Path) -> None:
    """``requestBody`` may be a reference; an operation may have none."""
    shared = {"content": {"application/json": {"schema": {"type": "string"}}, "a/b": {}}}
    api = {
        "paths": {
            "/a": {"post": {"requestBody": {"$ref": "#/components/requestBodies/a"}}},
            "/b": {"post": {"requestBody": {}}},
        },
        "components": {"requestBodies": {"a": shared}},
    }
    (tmp_path / "api.json").write_text(json.dumps(api))
    schemas = Schemas(folders=[tmp_path])

    assert TEXT == schemas.resolve("openapi:api#POST /a")
    with pytest.raises(SchemaError, match="post /b has no body"):
        schemas.resolve("openapi:api#POST /b")
    with pytest.raises(SchemaError, match="has nothing at #/paths//c"):
        schemas.resolve("openapi:api#POST /c")
