"""The mappings of SAP: our schemas say what SAP's say, settings and overlays change them."""

from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from adapters.sap_s4 import ADAPTER, Settings
from adapters.sap_s4.translation import Translation, load
from gateway.errors import Misconfigured, Rejected
from gateway.kit import mapping
from gateway.kit.mapping.installed import MODEL, product
from gateway.kit.mapping.schemas import Schemas
from gateway.kit.mapping.types import Kind, Wire
from gateway.model.order import Order
from gateway.model.party import Party
from gateway.ports.exchange import MAPPING

_SERVICES = {"sales_order": "API_SALES_ORDER_SRV", "business_partner": "API_BUSINESS_PARTNER"}


@pytest.mark.parametrize(("file", "service"), _SERVICES.items())
def test_schema_says_what_saps_says(contracts: Path, file: str, service: str) -> None:
    """Each field that we describe has SAP's type, length and case, and may be written."""
    ours = product("sap_s4").schemas
    theirs = Schemas(folders=(contracts / "odata-v2",))
    compared = 0

    for name in ours.names(f"schema:{file}"):
        found = ours.resolve(f"schema:{file}#{name}").shape
        if found is None:  # what several fields have in common
            continue
        real = theirs.resolve(f"edmx:{service}#{name}").shape
        assert real is not None
        for field in found.fields.values():
            other = real.fields[field.name]
            assert _facts(other) == _facts(field), f"{name}/{field.name}"
            assert other.writable
            compared += 1

    assert compared > 80


def _facts(field: Any) -> tuple[Any, ...]:
    kind = field.type
    wire = Wire.PLAIN if kind.kind is Kind.LIST else kind.wire  # OData V2 takes plain lists too
    return (kind.kind, kind.max_length, kind.precision, kind.scale, kind.upper, wire)


@pytest.mark.parametrize("name", ["sales_order", "business_partner"])
def test_no_drift(contracts: Path, name: str) -> None:
    """What fits our descriptions fits SAP's own."""
    ours = product("sap_s4")
    theirs = Schemas(folders=(contracts / "odata-v2", ours.folder / "schemas"), model=MODEL)
    text = (ours.folder / f"{name}.yaml").read_text(encoding="utf-8")
    text = text.replace(f"schema:{name}#", f"edmx:{_SERVICES[name]}#")
    findings = mapping.check(mapping.parse(text, file=name), theirs).findings

    assert [] == [str(each) for each in findings if each.code.startswith("E")]


def test_no_findings() -> None:
    """The mappings have neither errors nor warnings."""
    ours = product("sap_s4")

    found = [
        str(finding)
        for document in ours.documents.values()
        for finding in mapping.check(document, ours.schemas).findings
    ]

    assert [] == found


def test_field_that_the_sales_area_does_not_have(settings: Settings) -> None:
    """A misspelt property stops the start and is told with the nearest one."""
    misspelt = msgspec.structs.replace(settings, sales_area={"Curency": "EUR"})

    with pytest.raises(mapping.Refused, match="did you mean Currency"):
        load(misspelt)


def test_tenant_overlay(settings: Settings, order: Order) -> None:
    """A tenant sends a field that the product's mapping does not know."""
    text = 'extends: sap_s4.sales_order@1\nfields:\n  SalesDistrict: {const: "DE01"}\n'
    overlay = mapping.parse(text, file="acme.overlay.yaml")

    changed = Translation(settings, load(settings, overlays=(overlay,)))

    assert "DE01" == changed.sales_order(order, "1000001")["SalesDistrict"]
    assert "SalesDistrict" not in Translation(settings, load(settings)).sales_order(order, "1")


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("sales_order", "PurchaseOrderByCustomer"),
        ("business_partner", "BusinessPartnerIDByExtSystem"),
    ],
)
@pytest.mark.parametrize("rule", ["null", '{const: "1"}'])
def test_overlay_that_would_make_documents_twice(
    settings: Settings, name: str, field: str, rule: str
) -> None:
    """The field that a document is found by cannot be changed."""
    text = f"extends: sap_s4.{name}@1\nfields: {{{field}: {rule}}}\n"

    with pytest.raises(Misconfigured, match="by which it is looked up"):
        load(settings, overlays=(mapping.parse(text, file="acme.overlay.yaml"),))


@pytest.mark.parametrize(
    ("change", "left"),
    [
        ({"business_partner_roles": ("FLCU01",)}, ["FLCU01"]),
        ({"business_partner_roles": ()}, None),
        ({"left_out": frozenset({"to_BusinessPartnerRole"}), "business_partner_roles": ()}, None),
    ],
)
def test_roles(
    settings: Settings, party: Party, change: dict[str, Any], left: list[str] | None
) -> None:
    """Other roles, or none, are an overlay made of the settings."""
    changed = msgspec.structs.replace(settings, **change)

    body = Translation(changed, load(changed)).business_partner(party)

    roles = [{"BusinessPartnerRole": role} for role in left] if left else None
    assert roles == body.get("to_BusinessPartnerRole")


def test_day_outside_the_calendar(settings: Settings, party: Party) -> None:
    """A birth date that is none is refused under our name of it."""
    wrong = msgspec.structs.replace(party, birth_date="1990-02-31")

    with pytest.raises(Rejected, match="birth_date") as caught:
        Translation(settings, load(settings)).business_partner(wrong)

    assert "field_invalid" == caught.value.code


def test_requests_name_their_mapping(settings: Settings, order: Order) -> None:
    """What is written carries name, version and identity; what is read does not."""
    made = load(settings)
    exchange = ADAPTER.port("erp", settings, made).create_sales_order(order, "1000001", key="k")

    read = next(exchange)
    written = exchange.send(_nothing(read))

    assert MAPPING not in read.extensions
    assert made["sales_order"].reference == written.extensions[MAPPING]
    assert made["sales_order"].reference.startswith("sap_s4.sales_order 1.0.0 ")


def _nothing(request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, json={"d": {"results": []}}, request=request)
