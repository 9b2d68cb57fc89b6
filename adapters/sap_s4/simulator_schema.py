"""What the simulated services know of their entities, and the check of a body by it.

Source: metadata of API_BUSINESS_PARTNER and API_SALES_ORDER_SRV, read 2026-11; a test compares
``TYPES`` with it.
"""

import re
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import msgspec

from adapters.sap_s4.simulator_answers import GATEWAY, RefusalError, error_answer

_DATE: Final = re.compile(r"/Date\(-?\d+\)/")

_Record = dict[str, Any]

# Per entity type its properties with their length, "*" for keys, "-" for what only SAP writes;
# "d" is a date, "n" a decimal, "b" a boolean. Navigations name their target, "[]" for many.
_SCHEMA: Final = {
    "A_BusinessPartner": """
        BusinessPartner:10* Customer:10- BusinessPartnerCategory:1 BusinessPartnerGrouping:4
        CorrespondenceLanguage:2 FirstName:40 MiddleName:40 LastName:40 AdditionalLastName:40
        OrganizationBPName1:40 OrganizationBPName2:40 OrganizationBPName3:40 OrganizationBPName4:40
        SearchTerm1:20 SearchTerm2:20 BirthDate:d BusinessPartnerIDByExtSystem:20 ETag:26-
        BusinessPartnerIsBlocked:b to_BusinessPartnerAddress:A_BusinessPartnerAddress[]
        to_BusinessPartnerRole:A_BusinessPartnerRole[]
        to_BusinessPartnerTax:A_BusinessPartnerTaxNumber[] to_Customer:A_Customer
    """,
    "A_BusinessPartnerAddress": """
        BusinessPartner:10* AddressID:10* StreetName:60 StreetPrefixName:40 StreetSuffixName:40
        AdditionalStreetSuffixName:40 HouseNumber:10 HouseNumberSupplementText:10 PostalCode:10
        CityName:40 Country:3 Region:3 Language:2 to_AddressUsage:A_BuPaAddressUsage[]
        to_EmailAddress:A_AddressEmailAddress[] to_PhoneNumber:A_AddressPhoneNumber[]
    """,
    "A_BuPaAddressUsage": "BusinessPartner:10* AddressID:10* AddressUsage:10* StandardUsage:b",
    "A_AddressEmailAddress": """
        AddressID:10* Person:10* OrdinalNumber:3* EmailAddress:241 IsDefaultEmailAddress:b
    """,
    "A_AddressPhoneNumber": """
        AddressID:10* Person:10* OrdinalNumber:3* DestinationLocationCountry:3 PhoneNumber:30
        IsDefaultPhoneNumber:b
    """,
    "A_BusinessPartnerRole": "BusinessPartner:10* BusinessPartnerRole:6*",
    "A_BusinessPartnerTaxNumber": "BusinessPartner:10* BPTaxType:4* BPTaxNumber:20",
    "A_Customer": "Customer:10* to_CustomerSalesArea:A_CustomerSalesArea[]",
    "A_CustomerSalesArea": """
        Customer:10* SalesOrganization:4* DistributionChannel:2* Division:2* Currency:5
        CustomerPaymentTerms:4 CustomerGroup:2 CustomerPricingProcedure:2 ShippingCondition:2
    """,
    "A_SalesOrder": """
        SalesOrder:10* SalesOrderType:4 SalesOrganization:4 DistributionChannel:2
        OrganizationDivision:2 SoldToParty:10 PurchaseOrderByCustomer:35
        PurchaseOrderByShipToParty:35 TransactionCurrency:5 TotalNetAmount:n-
        LastChangeDateTime:d- OverallSDDocumentRejectionSts:1- to_Item:A_SalesOrderItem[]
    """,
    "A_SalesOrderItem": """
        SalesOrder:10- SalesOrderItem:6* Material:40 SalesOrderItemText:40 RequestedQuantity:n
        RequestedQuantityUnit:3 NetAmount:n- TransactionCurrency:5- SalesDocumentRjcnReason:2
        to_PricingElement:A_SalesOrderItemPrElement[]
    """,
    "A_SalesOrderItemPrElement": """
        SalesOrder:10- SalesOrderItem:6- PricingProcedureStep:3* PricingProcedureCounter:3*
        ConditionType:4 ConditionRateValue:n ConditionCurrency:5 ConditionQuantity:n
        ConditionQuantityUnit:3
    """,
}


class Facet(msgspec.Struct, frozen=True):
    """What is known of one property or navigation.

    Attributes:
        kind: ``s``, ``d``, ``n``, ``b``, or the target of a navigation.
        length: Of texts; 0 where the kind has none.
        key: Whether a client may give it as part of the key.
        many: Whether a navigation leads to a list.
    """

    kind: str
    length: int = 0
    key: bool = False
    writable: bool = True
    many: bool = False


def _facets(lines: str) -> dict[str, Facet]:
    table = {}
    for word in lines.split():
        name, _, rest = word.partition(":")
        plain = rest.rstrip("*-")
        if plain.startswith("A_"):
            table[name] = Facet(plain.removesuffix("[]"), many=plain.endswith("[]"))
            continue
        kind = "s" if plain.isdigit() else plain
        length = int(plain) if plain.isdigit() else 0
        table[name] = Facet(kind, length, key="*" in rest, writable="-" not in rest)
    return table


TYPES: Final = {name: _facets(lines) for name, lines in _SCHEMA.items()}


def check(name: str, body: _Record, *, creating: bool) -> None:
    """Refuse what the metadata document does not allow; deep inserts arrive as plain lists."""
    for field, value in body.items():
        facet = TYPES[name].get(field)
        if facet is None:
            raise RefusalError(
                error_answer(
                    400, "/IWCOR/CX_DS_EP_PROPERTY", f"Property {field} is invalid for {name}"
                )
            )
        if facet.kind.startswith("A_"):
            body[field] = _children(facet, value)
            for child in body[field]:
                check(facet.kind, child, creating=creating)
        elif not facet.writable or (facet.key and not creating):
            raise RefusalError(
                error_answer(400, f"{GATEWAY}027", f"Property {field} cannot be written")
            )
        elif not _fits(facet, value):
            raise RefusalError(
                error_answer(
                    400, "/IWCOR/CX_DS_EDM_FACET", f"Property {field} has an invalid value"
                )
            )


def _children(facet: Facet, value: Any) -> list[_Record]:
    rows = [value] if isinstance(value, dict) and not facet.many else value
    rows = rows.get("results") if isinstance(rows, dict) else rows
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise RefusalError(error_answer(400, f"{GATEWAY}035", "Malformed deep insert"))
    return rows


def _fits(facet: Facet, value: Any) -> bool:
    if facet.kind == "b":
        return isinstance(value, bool)
    if not isinstance(value, str):
        return False
    if facet.kind == "s":
        return len(value) <= facet.length
    if facet.kind == "d":
        return _DATE.fullmatch(value) is not None
    try:
        return Decimal(value).is_finite()
    except InvalidOperation:
        return False
