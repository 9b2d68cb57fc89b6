"""Every body the adapter can send is one that SAP's metadata allows, and says what we meant."""

import datetime as dt
import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as quick
from hypothesis import strategies as st
from lxml import etree

from adapters.sap_s4 import Settings
from adapters.sap_s4.translation import (
    REFERENCE_LENGTH,
    REFRESHED,
    Translation,
    changes,
    load,
    order_reference,
    partner_reference,
)
from gateway.errors import Rejected
from gateway.kit import odata
from gateway.model.item import OrderItem
from gateway.model.money import Money
from gateway.model.order import Order
from gateway.model.party import Address, Party, PartyKind

_SAP = "{http://www.sap.com/Protocols/SAPData}"


class Metadata:
    """One metadata document, asked what it says about a body."""

    def __init__(self, file: Path) -> None:
        root = etree.parse(file).getroot()
        self.types = {each.get("Name"): each for each in root.iter("{*}EntityType")}
        self.ends = {
            (association.get("Name"), end.get("Role")): end.get("Type").rpartition(".")[2]
            for association in root.iter("{*}Association")
            for end in association.iterfind("{*}End")
        }

    def check(self, entity: str, body: dict[str, Any], *, writable: str = "creatable") -> None:
        """Raise for the first property that does not exist, fit or may not be written."""
        kind = self.types[entity]
        properties = {each.get("Name"): each for each in kind.iterfind("{*}Property")}
        navigations = {each.get("Name"): each for each in kind.iterfind("{*}NavigationProperty")}
        for name, value in body.items():
            if name in navigations:
                target = self.ends[
                    navigations[name].get("Relationship").rpartition(".")[2],
                    navigations[name].get("ToRole"),
                ]
                for child in value if isinstance(value, list) else [value]:
                    self.check(target, child, writable=writable)
                continue
            prop = properties[name]
            assert prop.get(f"{_SAP}{writable}") != "false", f"{entity}/{name}"
            _check_value(f"{entity}/{name}", prop, value)


def _check_value(where: str, prop: Any, value: Any) -> None:
    kind = prop.get("Type")
    if kind == "Edm.Boolean":
        assert isinstance(value, bool), where
        return
    assert isinstance(value, str), where
    if kind == "Edm.String":
        assert value, where
        assert len(value) <= int(prop.get("MaxLength")), where
        assert not re.search(r"[\x00-\x1f\x7f]", value), where
        if prop.get(f"{_SAP}display-format") == "UpperCase" and "Phone" not in where:
            assert value == value.upper(), where
    elif kind == "Edm.DateTime":
        assert odata.read_date(value) is not None, where
    else:
        assert kind == "Edm.Decimal", where
        _, digits, exponent = Decimal(value).as_tuple()
        assert isinstance(exponent, int)
        assert -exponent <= int(prop.get("Scale", 0)), where
        assert len(digits) <= int(prop.get("Precision")), where


@pytest.fixture(scope="session")
def partners(contracts: Path) -> Metadata:
    return Metadata(contracts / "odata-v2" / "API_BUSINESS_PARTNER.edmx")


@pytest.fixture(scope="session")
def orders(contracts: Path) -> Metadata:
    return Metadata(contracts / "odata-v2" / "API_SALES_ORDER_SRV.edmx")


def body_of(settings: Settings) -> Translation:
    """Bodies for a system with these settings."""
    return Translation(settings, load(settings))


_TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=200).filter(
    str.strip
)
_ADDRESSES = st.builds(
    Address,
    line1=_TEXT,
    house_number=st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    line2=st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=200),
    postal_code=st.from_regex(r"[A-Za-z0-9 -]{1,12}", fullmatch=True),
    city=_TEXT,
    country=st.from_regex("[A-Z]{2}", fullmatch=True),
)
_PARTIES = st.builds(
    Party,
    party_id=st.from_regex(r"[A-Za-z0-9._-]{1,64}", fullmatch=True),
    kind=st.sampled_from(PartyKind),
    names=st.lists(_TEXT, min_size=1, max_size=4).map(tuple),
    addresses=st.lists(_ADDRESSES, min_size=1, max_size=5).map(tuple),
    language=st.from_regex("[a-z]{2}", fullmatch=True),
    birth_date=st.none() | st.dates().map(dt.date.isoformat),
    vat_id=st.none() | st.from_regex(r"[A-Z]{2}[A-Z0-9+*]{2,13}", fullmatch=True),
    email=st.none() | st.from_regex(r"[a-z]{1,200}@[a-z]{1,53}", fullmatch=True),
    phone=st.none() | st.from_regex(r"[+0-9 ()/.-]{1,32}", fullmatch=True),
)
_ITEMS = st.builds(
    OrderItem,
    product_id=st.from_regex(r"[A-Za-z0-9._/-]{1,40}", fullmatch=True),
    description=st.text(st.characters(exclude_categories=["Cs"]), max_size=200),
    quantity=st.integers(1, 99_999),
    unit_price=st.builds(Money, st.integers(0, 10**12), st.just("KWD")),
)
_HURRIED = quick(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


def _attempt(build: Callable[[], dict[str, Any]]) -> dict[str, Any] | None:
    """The body, or None where a technical field is too long; anything else is a failure."""
    try:
        return build()
    except Rejected as error:
        if error.code != "field_too_long":
            raise
        return None


@_HURRIED
@given(party=_PARTIES)
def test_any_business_partner_is_what_sap_allows(
    partners: Metadata, settings: Settings, party: Party
) -> None:
    """Whatever party the model admits, the body fits SAP's metadata or is refused before."""
    body = _attempt(lambda: body_of(settings).business_partner(party))

    if body is not None:
        partners.check("A_BusinessPartnerType", body)


@_HURRIED
@given(items=st.lists(_ITEMS, min_size=1, max_size=5), reference=st.text("ABC-1", max_size=64))
def test_any_sales_order_is_what_sap_allows(
    orders: Metadata, settings: Settings, order: Order, items: list[OrderItem], reference: str
) -> None:
    """Whatever order the model admits, the body fits SAP's metadata or is refused before."""
    given_order = msgspec.structs.replace(
        order, items=tuple(items), reference=reference, total=Money(0, "KWD")
    )
    with_unit = msgspec.structs.replace(settings, quantity_unit="EA")

    body = _attempt(lambda: body_of(with_unit).sales_order(given_order, "1000001"))

    assert (body is None) == (len(reference) > 35)
    if body is not None:
        orders.check("A_SalesOrderType", body)


def test_changes_are_what_sap_allows(
    partners: Metadata, orders: Metadata, settings: Settings, party: Party
) -> None:
    """What a change writes may be updated; a rejection too."""
    wanted = body_of(settings).business_partner(party)
    found = dict.fromkeys(REFRESHED, "")

    made = changes(wanted, found)

    assert {"FirstName", "LastName", "CorrespondenceLanguage", "BirthDate"} == set(made)
    partners.check("A_BusinessPartnerType", made, writable="updatable")
    orders.check("A_SalesOrderItemType", body_of(settings).rejection(), writable="updatable")


def test_reference_field_choices_fit(partners: Metadata, settings: Settings) -> None:
    """Each field that can be chosen for our reference holds 20 characters and can be searched."""
    fields = Settings.__annotations__["reference_field"].__args__
    kind = partners.types["A_BusinessPartnerType"]
    properties = {each.get("Name"): each for each in kind.iterfind("{*}Property")}

    assert len(fields) == 3
    for field in fields:
        assert int(properties[field].get("MaxLength")) == REFERENCE_LENGTH
        assert properties[field].get(f"{_SAP}filterable") != "false"


def test_reference_is_ours_and_always_the_same(settings: Settings) -> None:
    """A party has one reference; ids that differ in case only have different ones."""
    reference = partner_reference(settings, "C-100042")

    assert reference == "HRKZN6WIMBUMJUSL4A3Z"
    assert partner_reference(settings, "c-100042") != reference


def test_order_id_without_hyphens(order: Order) -> None:
    """A UUID has 36 characters, SAP's field 35."""
    assert order_reference(order.order_id) == "019500000000700080000000000000a1"
    with pytest.raises(Rejected, match="order_id"):
        order_reference("x" * 36)


def test_person(settings: Settings, party: Party) -> None:
    """Given names come first, the family name last; dates are midnight in UTC."""
    body = body_of(settings).business_partner(party)

    assert (body["BusinessPartnerCategory"], body["FirstName"], body["LastName"]) == (
        "1",
        "Ada",
        "Lovelace",
    )
    assert body["BirthDate"] == "/Date(660787200000)/"
    assert body["to_BusinessPartnerAddress"][0]["HouseNumber"] == "77a"
    assert "to_BusinessPartnerTax" not in body


def test_person_with_one_name(settings: Settings, party: Party) -> None:
    """SAP wants a last name, so the only name is the last."""
    one = msgspec.structs.replace(party, names=("Pelé",), birth_date=None)

    body = body_of(settings).business_partner(one)

    assert body["LastName"] == "Pelé"
    assert "FirstName" not in body
    assert "BirthDate" not in body


def test_birth_date_outside_the_calendar(settings: Settings, party: Party) -> None:
    """The model checks the form of a date, SAP the calendar; we say which field it is."""
    with pytest.raises(Rejected, match="birth_date"):
        body_of(settings).business_partner(msgspec.structs.replace(party, birth_date="1990-02-31"))


def test_long_names_flow_over(settings: Settings, party: Party) -> None:
    """Names are parted between words, over the next name field, and cut after the last."""
    given = " ".join(["Maria"] * 20)
    long = msgspec.structs.replace(party, names=(given, "x" * 100))

    body = body_of(settings).business_partner(long)

    assert body["FirstName"] == " ".join(["Maria"] * 6)
    assert body["MiddleName"] == " ".join(["Maria"] * 6)
    assert (body["LastName"], body["AdditionalLastName"]) == ("x" * 40, "x" * 40)


def test_organisation(settings: Settings, party: Party) -> None:
    """Names keep their lines where they fit; VAT ids get SAP's tax number category."""
    names = ("Wasser AG", "Niederlassung Nord")
    firm = msgspec.structs.replace(
        party, kind=PartyKind.ORGANISATION, names=names, vat_id="EL123456789"
    )

    body = body_of(settings).business_partner(firm)

    assert body["BusinessPartnerCategory"] == "2"
    assert (body["OrganizationBPName1"], body["OrganizationBPName2"]) == names
    assert body["to_BusinessPartnerTax"] == [{"BPTaxType": "GR0", "BPTaxNumber": "EL123456789"}]
    german = body_of(settings).business_partner(msgspec.structs.replace(firm, vat_id="DE136695976"))
    assert german["to_BusinessPartnerTax"][0]["BPTaxType"] == "DE0"


def test_long_organisation_name_flows_over(settings: Settings, party: Party) -> None:
    """A name longer than a line takes the next line."""
    name = "Gesellschaft für die Versorgung mit Wasser und Wind im Norden mbH"
    firm = msgspec.structs.replace(party, kind=PartyKind.ORGANISATION, names=(name,))

    body = body_of(settings).business_partner(firm)

    assert body["OrganizationBPName1"] == "Gesellschaft für die Versorgung mit"
    assert body["OrganizationBPName2"] == "Wasser und Wind im Norden mbH"


@pytest.mark.parametrize(
    ("line1", "line2", "expected"),
    [
        ("Weg", None, ("Weg", None)),
        ("Weg", "Hinterhaus\nlinks", ("Weg", "Hinterhaus links")),
        ("a" * 50 + " " + "b" * 20, "Hof", ("a" * 50, "b" * 20 + " Hof")),
    ],
)
def test_streets(
    settings: Settings, party: Party, line1: str, line2: str | None, expected: tuple[str, str]
) -> None:
    """A second line stays a line; a long first line takes it along."""
    address = msgspec.structs.replace(party.addresses[0], line1=line1, line2=line2)
    moved = msgspec.structs.replace(party, addresses=(address,))

    (body,) = body_of(settings).business_partner(moved)["to_BusinessPartnerAddress"]

    assert expected == (body["StreetName"], body.get("StreetSuffixName"))


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"postal_code": "12345678901"}, r"addresses\[0\].postal_code"),
        ({"city": "x" * 41}, r"addresses\[0\].city"),
        ({"house_number": "1" * 21}, r"addresses\[0\].house_number"),
    ],
)
def test_too_long(settings: Settings, party: Party, change: dict[str, str], field: str) -> None:
    """A technical field is never cut; the error names our field and not its value."""
    address = msgspec.structs.replace(party.addresses[0], **change)

    with pytest.raises(Rejected, match=field) as caught:
        body_of(settings).business_partner(msgspec.structs.replace(party, addresses=(address,)))

    assert caught.value.code == "field_too_long"
    assert all(value not in str(caught.value) for value in change.values())


def test_several_addresses(settings: Settings, party: Party) -> None:
    """The first of several addresses is marked as the standard one, and has the contact."""
    two = msgspec.structs.replace(party, addresses=party.addresses * 2)

    first, second = body_of(settings).business_partner(two)["to_BusinessPartnerAddress"]

    assert first["to_AddressUsage"] == [{"AddressUsage": "XXDEFAULT"}]
    assert first["to_EmailAddress"][0]["EmailAddress"] == "ada@example.com"
    assert not {"to_AddressUsage", "to_EmailAddress", "to_PhoneNumber"} & set(second)


def test_order(settings: Settings, order: Order) -> None:
    """Materials are looked up, amounts are decimal strings, descriptions are cut at 40."""
    item = msgspec.structs.replace(order.items[0], description="x" * 50)
    body = body_of(settings).sales_order(
        msgspec.structs.replace(order, items=(item, order.items[1])), "1000001"
    )

    first, second = body["to_Item"]
    assert (first["Material"], second["Material"]) == ("MZ-FG-C1", "WB-1")
    assert (first["RequestedQuantity"], first["SalesOrderItemText"]) == ("2", "x" * 40)
    assert first["to_PricingElement"] == [
        {
            "ConditionType": "PR01",
            "ConditionRateValue": "19999.00",
            "ConditionCurrency": "EUR",
            "ConditionQuantity": "1",
        }
    ]
    assert (body["SoldToParty"], body["TransactionCurrency"]) == ("1000001", "EUR")
    assert body["PurchaseOrderByShipToParty"] == "WEB-77"


def test_sap_prices_by_itself(settings: Settings, order: Order) -> None:
    """Without a condition type no price is sent."""
    silent = msgspec.structs.replace(settings, price_condition_type="")

    body = body_of(silent).sales_order(order, "1000001")

    assert all("to_PricingElement" not in item for item in body["to_Item"])


def test_two_currencies(settings: Settings, order: Order) -> None:
    """A sales order has one currency."""
    foreign = msgspec.structs.replace(order.items[1], unit_price=Money(1, "USD"))

    with pytest.raises(Rejected, match=r"items\[1\]") as caught:
        body_of(settings).sales_order(
            msgspec.structs.replace(order, items=(order.items[0], foreign)), "1"
        )

    assert caught.value.code == "currency_mixed"


def test_left_out(settings: Settings, party: Party) -> None:
    """What a release does not have is left out at any depth."""
    older = msgspec.structs.replace(
        settings, left_out=frozenset({"to_EmailAddress", "BirthDate", "Currency"})
    )

    body = body_of(older).business_partner(party)

    assert "BirthDate" not in body
    assert "to_EmailAddress" not in body["to_BusinessPartnerAddress"][0]
    assert "Currency" not in body["to_Customer"]["to_CustomerSalesArea"][0]


def test_changes_empty_what_is_gone_and_leave_what_is_unknown(
    settings: Settings, party: Party
) -> None:
    """A middle name that is gone is emptied; a birth date we do not know stays."""
    wanted = body_of(settings).business_partner(msgspec.structs.replace(party, birth_date=None))
    found = {
        "FirstName": "Ada",
        "MiddleName": "Augusta",
        "LastName": "Byron",
        "BirthDate": "/Date(660787200000)/",
    }

    assert changes(wanted, found) == {"MiddleName": "", "LastName": "Lovelace"}


def test_same_birth_date_in_another_form(settings: Settings, party: Party) -> None:
    """Dates are compared as moments; one that cannot be read is written again."""
    wanted = body_of(settings).business_partner(party)

    assert changes(wanted, {"BirthDate": "/Date(660787200000+0000)/"}) == {}
    assert "BirthDate" in changes(wanted, {"BirthDate": "1990-12-10"})
