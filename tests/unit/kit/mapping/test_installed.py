"""Loading the mappings of a product: files once, configuration and overlays for each tenant."""

import tomllib
from pathlib import Path

import pytest

from gateway.errors import Misconfigured
from gateway.kit import mapping
from gateway.kit.mapping.installed import MODEL, Product, mappings_of
from gateway.model.reference import EntityKind, ExternalReference

BASE = """\
mapping: shop.customer
version: 1.2.0
from: canonical.ExternalReference
to: schema:customer
config: {area: str(4)}
fields:
  Number: external_id | fit(10)
  Area: cfg.area
unused: [entity, entity_id, system, created]
"""
SCHEMA = """\
type: object
additionalProperties: false
required: [Number]
properties:
  Number: {type: string, maxLength: 10}
  Area: {type: string, maxLength: 4}
"""
REFERENCE = ExternalReference(
    entity=EntityKind.BUSINESS_PARTNER, entity_id="C-1", system="shop", external_id="42"
)


@pytest.fixture
def shop(tmp_path: Path) -> Product:
    """A product with one mapping and, beside it, its cases."""
    (tmp_path / "schemas").mkdir()
    (tmp_path / "schemas" / "customer.yaml").write_text(SCHEMA)
    (tmp_path / "customer.yaml").write_text(BASE)
    (tmp_path / "customer.cases.yaml").write_text("- this is no mapping\n")
    return Product("shop", tmp_path)


def overlay(text: str) -> mapping.Document:
    return mapping.parse(text, file="tenants/acme/customer.yaml")


def test_values_go_to_the_mapping_that_declares_them(shop: Product) -> None:
    """One dictionary serves all mappings of a product; cases are not taken for mappings."""
    made = shop.load({"area": "1710", "of_another_mapping": "X"})

    assert {"customer"} == set(made)
    assert {"Number": "42", "Area": "1710"} == made["customer"].apply(REFERENCE)


def test_missing_value(shop: Product) -> None:
    """A value that a mapping declares and nobody gives stops the start."""
    with pytest.raises(mapping.Refused) as caught:
        shop.load({})

    assert [("E25", "config/area")] == [(one.code, one.place) for one in caught.value.findings]


def test_overlay_goes_to_the_mapping_that_it_extends(shop: Product) -> None:
    """A tenant's overlay changes its own mapping and no other tenant's."""
    changed = overlay("extends: shop.customer@1\nfields: {Area: '\"ZZ\"'}\nconfig: {area: null}\n")

    theirs = shop.load({}, overlays=(changed,))["customer"]
    others = shop.load({"area": "1"})["customer"]

    assert "ZZ" == theirs.apply(REFERENCE)["Area"]
    assert "1" == others.apply(REFERENCE)["Area"]
    assert theirs.identity != others.identity


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("# a\nextends: shop.custmer@1\n", "E18", 2),
        ("fields: {Area: external_id}\n", "E18", 1),
        ("extends: shop.customer@2\n", "E18", 1),
        ("extends: shop.customer@1\nfields:\n  Aera: cfg.area\n", "E01", 3),
        ("extends: [\n", "E16", 2),
    ],
)
def test_broken_overlay(shop: Product, text: str, code: str, line: int) -> None:
    """An overlay that extends nothing, or does not fit, is refused with its file and line."""
    with pytest.raises(mapping.Refused) as caught:
        shop.load({"area": "1"}, overlays=(overlay(text),))

    found = [(one.code, one.file, one.line) for one in caught.value.findings]
    assert (code, "tenants/acme/customer.yaml", line) in found


def test_tenants_share_no_function_that_fits_one_of_them(tmp_path: Path) -> None:
    """What is left out for the tenant whose value is empty is sent for the other."""
    (tmp_path / "schemas").mkdir()
    (tmp_path / "schemas" / "customer.yaml").write_text(SCHEMA)
    (tmp_path / "customer.yaml").write_text(
        BASE.replace("Area: cfg.area", "Area: cfg.area | nonempty")
    )
    shop = Product("shop", tmp_path)

    bodies = [shop.load({"area": area})["customer"].apply(REFERENCE) for area in ("EU", "", "US")]

    assert [
        {"Number": "42", "Area": "EU"},
        {"Number": "42"},
        {"Number": "42", "Area": "US"},
    ] == bodies


def test_failure_names_the_tenant(shop: Product) -> None:
    """At run time a failure says whose configuration was used."""
    made = shop.load({"area": "1"}, tenant="acme")["customer"]

    with pytest.raises(mapping.MappingFailure, match="tenant acme"):
        made.apply(
            ExternalReference(
                entity=EntityKind.BUSINESS_PARTNER, entity_id="C", system="s", external_id="4" * 11
            )
        )


def test_files_are_read_once(shop: Product) -> None:
    """A further tenant is checked against what is in memory: a file changed since is not mixed."""
    shop.load({"area": "1"})
    (shop.folder / "customer.yaml").write_text("mapping: broken\n")

    assert {"customer"} == set(shop.load({"area": "2"}))


def test_no_mappings() -> None:
    """A product without mappings is a mistake of ours, told as one."""
    with pytest.raises(Misconfigured, match="holds no mapping"):
        mappings_of("no_such_product", {})


def test_model() -> None:
    """The nouns of the model can be named, those that one noun holds included."""
    names = {kind.__name__ for kind in MODEL}

    assert {"Order", "OrderItem", "Party", "Address", "ExternalReference"} <= names


def test_every_file_is_delivered() -> None:
    """What ``pip install`` leaves out is missed only where nobody has a checkout."""
    root = Path(__file__).resolve().parents[4]
    tables = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    patterns = [*tables["tool"]["setuptools"]["package-data"]["*"], "*.py"]
    files = [path for path in (root / "mappings").rglob("*") if path.is_file()]

    assert files
    assert [] == [
        str(path)
        for path in files
        if path.suffix != ".pyc" and not any(path.match(pattern) for pattern in patterns)
    ]
