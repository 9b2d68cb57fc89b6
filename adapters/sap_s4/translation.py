"""Every field that goes to SAP, and nothing else: our model in, bodies of OData entities out.

Lengths are those of API_BUSINESS_PARTNER and API_SALES_ORDER_SRV (metadata documents, read
2026-11). A technical field that is too long is refused under our name of it; names, streets and
descriptions are folded over SAP's fields for them, and what exceeds the last one is cut.
"""

import base64
import datetime as dt
import hashlib
import re
from collections.abc import Mapping
from typing import Any, Final

from adapters.sap_s4.settings import Settings
from gateway.errors import Rejected
from gateway.kit import odata
from gateway.model.order import Order, OrderItem
from gateway.model.party import Address, Party, PartyKind

REFERENCE_LENGTH: Final = 20
PERSON, ORGANISATION = "1", "2"

_ORGANISATION_NAMES: Final = tuple(f"OrganizationBPName{number}" for number in range(1, 5))
_GIVEN_NAMES: Final = ("FirstName", "MiddleName")
_FAMILY_NAMES: Final = ("LastName", "AdditionalLastName")
_STREETS: Final = {"StreetName": 60, "StreetSuffixName": 40, "AdditionalStreetSuffixName": 40}
_NAME_LENGTH: Final = 40
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")  # all of Unicode's category Cc
# What is written again to a business partner that is there already. Addresses, tax numbers and
# sales areas are not: their entities carry no entity tag, so SAP's own changes would be lost.
REFRESHED: Final = (
    *_ORGANISATION_NAMES,
    *_GIVEN_NAMES,
    *_FAMILY_NAMES,
    "CorrespondenceLanguage",
    "BirthDate",
)


def partner_reference(settings: Settings, party_id: str) -> str:
    """Our reference of a party: always the same, upper case, 20 characters at most."""
    digest = base64.b32encode(hashlib.sha256(party_id.encode()).digest()).decode("ascii")
    return (settings.reference_prefix + digest)[:REFERENCE_LENGTH]


def order_reference(order_id: str) -> str:
    """Our order id as the customer's purchase order number: 35 characters hold no hyphens."""
    return _fitting(order_id.replace("-", ""), 35, "order_id")


def business_partner(settings: Settings, party: Party) -> dict[str, Any]:
    """The body that makes a business partner with address, roles and sales area.

    Raises:
        Rejected: A technical field does not fit.
    """
    first, *others = party.addresses
    standard = _address(first, "addresses[0]") | _contact(party, first)
    more = [_address(each, f"addresses[{n}]") for n, each in enumerate(others, start=1)]
    if more:
        standard["to_AddressUsage"] = [{"AddressUsage": "XXDEFAULT"}]
    body = {
        settings.reference_field: partner_reference(settings, party.party_id),
        "BusinessPartnerCategory": _category(party),
        "BusinessPartnerGrouping": settings.business_partner_grouping,
        "CorrespondenceLanguage": party.language.upper(),
        **_names(party),
        **_birth(party),
        "to_BusinessPartnerAddress": [standard, *more],
        "to_BusinessPartnerRole": [
            {"BusinessPartnerRole": role} for role in settings.business_partner_roles
        ],
        "to_BusinessPartnerTax": _tax(settings, party),
        "to_Customer": {"to_CustomerSalesArea": [_sales_area(settings)]},
    }
    return _filled(body, settings.left_out)


def changes(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
    """What has to be written so that the business partner found says what is wanted.

    A name field that is no longer wanted is emptied. Fields the answer does not show, because
    this release does not have them, are left alone.
    """
    return {
        name: wanted.get(name, "")
        for name in REFRESHED
        if name in found
        and _comparable(name, wanted.get(name)) != _comparable(name, found[name])
        and (name in wanted or name != "BirthDate")
    }


def sales_order(settings: Settings, order: Order, business_partner: str) -> dict[str, Any]:
    """The body that makes a sales order with items and prices.

    Raises:
        Rejected: A technical field does not fit, or a price is in another currency.
    """
    currency = order.total.currency
    body = {
        "SalesOrderType": settings.sales_order_type,
        "SalesOrganization": settings.sales_organization,
        "DistributionChannel": settings.distribution_channel,
        "OrganizationDivision": settings.division,
        "SoldToParty": _fitting(business_partner, 10, "business_partner"),
        "PurchaseOrderByCustomer": order_reference(order.order_id),
        "PurchaseOrderByShipToParty": _fitting(order.reference, 35, "reference"),
        "TransactionCurrency": currency,
        "to_Item": [_item(settings, each, currency, n) for n, each in enumerate(order.items)],
    }
    return _filled(body, settings.left_out)


def rejection(settings: Settings) -> dict[str, Any]:
    """The body that rejects one item of a sales order."""
    return {"SalesDocumentRjcnReason": settings.rejection_reason}


def _category(party: Party) -> str:
    return PERSON if party.kind is PartyKind.PERSON else ORGANISATION


def _names(party: Party) -> dict[str, str]:
    if party.kind is PartyKind.PERSON:
        *given, family = party.names
        return _folded(" ".join(given), dict.fromkeys(_GIVEN_NAMES, _NAME_LENGTH)) | _folded(
            family, dict.fromkeys(_FAMILY_NAMES, _NAME_LENGTH)
        )
    clean = [_clean(name) for name in party.names]
    if all(len(name) <= _NAME_LENGTH for name in clean):
        return dict(zip(_ORGANISATION_NAMES, clean, strict=False))
    return _folded(" ".join(clean), dict.fromkeys(_ORGANISATION_NAMES, _NAME_LENGTH))


def _birth(party: Party) -> dict[str, str]:
    if party.kind is not PartyKind.PERSON or party.birth_date is None:
        return {}
    try:
        return {"BirthDate": odata.write_date(dt.date.fromisoformat(party.birth_date))}
    except ValueError:
        raise Rejected("birth_date is no day of the calendar.", code="field_invalid") from None


def _address(address: Address, field: str) -> dict[str, Any]:
    house = _fitting(_clean(address.house_number or ""), 20, f"{field}.house_number")
    street = f"{address.line1} {address.line2 or ''}"
    fields = _folded(street, _STREETS)
    if address.line2 and len(_clean(address.line1)) <= _STREETS["StreetName"]:
        # The second line keeps its own line on labels where the first one leaves it.
        fields = {"StreetName": _clean(address.line1)} | _folded(
            address.line2, dict(list(_STREETS.items())[1:])
        )
    return {
        **fields,
        "HouseNumber": house[:10],
        "HouseNumberSupplementText": house[10:].lstrip(),
        "PostalCode": _fitting(address.postal_code.upper(), 10, f"{field}.postal_code"),
        "CityName": _fitting(_clean(address.city), 40, f"{field}.city"),
        "Country": address.country,
    }


def _contact(party: Party, address: Address) -> dict[str, Any]:
    email = _fitting(party.email or "", 241, "email")
    phone = _fitting(party.phone or "", 30, "phone")
    by_mail = {"EmailAddress": email, "IsDefaultEmailAddress": True}
    by_phone = {
        "PhoneNumber": phone,
        "DestinationLocationCountry": address.country,
        "IsDefaultPhoneNumber": True,
    }
    return {
        "to_EmailAddress": [by_mail] if email else [],
        "to_PhoneNumber": [by_phone] if phone else [],
    }


def _tax(settings: Settings, party: Party) -> list[dict[str, str]]:
    """VAT registration under SAP's tax number category: country and 0 (table TFKTAXNUMTYPE)."""
    if not party.vat_id or party.kind is PartyKind.PERSON:
        return []
    country = party.vat_id[:2]
    category = settings.vat_tax_types.get(country, f"{country}0")
    return [{"BPTaxType": category, "BPTaxNumber": party.vat_id}]


def _sales_area(settings: Settings) -> dict[str, str]:
    return {
        "SalesOrganization": settings.sales_organization,
        "DistributionChannel": settings.distribution_channel,
        "Division": settings.division,
        **settings.sales_area,
    }


def _item(settings: Settings, item: OrderItem, currency: str, number: int) -> dict[str, Any]:
    if item.unit_price.currency != currency:
        field = f"items[{number}].unit_price"
        raise Rejected(f"{field} has another currency.", code="currency_mixed")
    price = {
        "ConditionType": settings.price_condition_type,
        "ConditionRateValue": item.unit_price.amount,
        "ConditionCurrency": currency,
        "ConditionQuantity": "1",
        "ConditionQuantityUnit": settings.quantity_unit,
    }
    return {
        "Material": settings.materials.get(item.product_id, item.product_id).upper(),
        "SalesOrderItemText": _clean(item.description)[:40].rstrip(),
        "RequestedQuantity": str(item.quantity),
        "RequestedQuantityUnit": settings.quantity_unit,
        "to_PricingElement": [price] if settings.price_condition_type else [],
    }


def _fitting(value: str, length: int, field: str) -> str:
    if len(value) > length:
        raise Rejected(f"{field} is longer than {length} characters in SAP.", code="field_too_long")
    return value


def _folded(text: str, widths: Mapping[str, int]) -> dict[str, str]:
    """The text over the fields in turn, parted between words where that is possible."""
    fields, rest = {}, _clean(text)
    for name, width in widths.items():
        cut = len(rest) if len(rest) <= width else max(rest.rfind(" ", 0, width + 1), 0) or width
        fields[name], rest = rest[:cut].rstrip(), rest[cut:].lstrip()
    return fields


def _clean(text: str) -> str:
    """One line: control characters would break SAP's XML, double blanks its comparisons."""
    if not text.isprintable():
        text = _CONTROL.sub(" ", text)
    return " ".join(text.split())


def _filled(value: Mapping[str, Any], left_out: frozenset[str]) -> dict[str, Any]:
    """The body without what is empty and without what this release does not have."""
    body = {}
    for name, content in value.items():
        kept = content
        # By its class: asking abstract ones costs more than all the rest of a body.
        if type(content) is list:
            kept = [_filled(each, left_out) for each in content]
        elif type(content) is dict:
            kept = _filled(content, left_out)
        if (kept or kept is False) and name not in left_out:
            body[name] = kept
    return body


def _comparable(name: str, value: Any) -> Any:
    if name != "BirthDate":
        return value or ""
    try:
        return odata.read_date(value)
    except (TypeError, ValueError):
        return value
