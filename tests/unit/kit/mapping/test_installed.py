"""Loading the mappings of a product: files once, configuration and overlays for each tenant."""

import tomllib
from pathlib import Path

import msgspec
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


NEEDY = """\
mapping: shop.customer
version: 1.3.0
from: canonical.ExternalReference
to: schema:customer
needs: {area: "schema:area"}
fields:
  Number: external_id | fit(10)
  Area: needs.area.name
unused: [entity, entity_id, system, created]
"""


def release(folder: Path, base: str = BASE, schema: str = SCHEMA) -> Product:
    """The same product as another release delivers it."""
    (folder / "schemas").mkdir(parents=True)
    (folder / "schemas" / "customer.yaml").write_text(schema)
    (folder / "schemas" / "area.yaml").write_text(
        "type: object\nproperties:\n  name: {type: string, maxLength: 4}\n"
    )
    (folder / "customer.yaml").write_text(base)
    return Product("shop", folder)


def test_another_release_makes_the_same_mappings_again(shop: Product, tmp_path: Path) -> None:
    """Mapping, schema, overlay and value are as they were kept, whatever is delivered now."""
    changed = overlay(
        "extends: shop.customer@1\nfields: {Number: external_id | zfill(6) | fit(10)}\n"
    )
    old = shop.load({"area": "1710"}, overlays=(changed,), tenant="acme")
    kept = msgspec.msgpack.decode(msgspec.msgpack.encode(old.of), type=mapping.Ingredients)
    newer = release(
        tmp_path / "newer",
        BASE.replace("cfg.area", '{const: "NEW"}')
        .replace("config: {area: str(4)}\n", "")
        .replace("fit(10)", "fit(5)"),
        SCHEMA.replace("maxLength: 10", "maxLength: 5"),
    )

    made = newer.again(kept, tenant="acme")

    assert {"Number": "000042", "Area": "1710"} == made["customer"].apply(REFERENCE)
    assert old["customer"].identity == made["customer"].identity
    assert old.of == made.of
    assert "NEW" == newer.load({})["customer"].apply(REFERENCE)["Area"]


def test_nothing_of_the_release_that_is_installed_is_mixed_in(
    shop: Product, tmp_path: Path
) -> None:
    """A mapping that only the newer release has is missing, and that is said."""
    kept = shop.load({"area": "1"}).of
    newer = release(tmp_path / "newer")
    (newer.folder / "order.yaml").write_text(BASE.replace("shop.customer", "shop.order"))

    with pytest.raises(Misconfigured, match=r"there is no mapping shop\.order among them"):
        newer.again(kept)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (BASE, BASE.replace("schema:customer", "schema:area"), "to was schema:customer, and"),
        (BASE, BASE.replace("canonical.ExternalReference", "canonical.Party"), "from was canon"),
        (NEEDY, BASE, r"needs\.area was schema:area, and nothing now"),
        (NEEDY, NEEDY.replace('"schema:area"', '"schema:customer"'), r"needs\.area was schema:are"),
    ],
)
def test_ends_that_the_adapter_does_not_serve_any_more(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    """The adapter hands in and sends what its own release takes and makes; others are refused."""
    kept = release(tmp_path / "old", old).load({"area": "1"}).of

    with pytest.raises(Misconfigured, match=said):
        release(tmp_path / "new", new).again(kept)


def test_more_look_ups_than_the_old_mapping_takes(tmp_path: Path) -> None:
    """It does not read them, so it goes on."""
    kept = release(tmp_path / "old", BASE).load({"area": "1"}).of

    assert "1" == release(tmp_path / "new", NEEDY).again(kept)["customer"].apply(REFERENCE)["Area"]


def test_files_that_are_kept_stay_in_their_folder(shop: Product) -> None:
    """A name from the database is a name, not a path."""
    kept = shop.load({"area": "1"}).of
    text = kept.documents["customer.yaml"]
    outside = shop.folder.parent / "outside.yaml"

    shop.again(
        msgspec.structs.replace(
            kept,
            documents={"customer.yaml": text},
            schemas={**kept.schemas, f"../../{outside.name}": b"x", str(outside): b"x"},
        )
    )

    assert not outside.exists()
