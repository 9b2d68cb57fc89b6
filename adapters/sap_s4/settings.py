"""What an operator types to connect one SAP S/4HANA client."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Code2 = Annotated[str, Meta(pattern="^[A-Z0-9]{2}$")]
Code4 = Annotated[str, Meta(pattern="^[A-Z0-9]{1,4}$")]
Service = Annotated[str, Meta(pattern="^[A-Z0-9_/;=]+$")]


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One client of one SAP S/4HANA system.

    Attributes:
        base_url: Scheme, host, port and whatever a proxy puts before ``/sap/opu/odata/sap``;
            ``https://s4.example.com:44300``.
        user: Communication user, ``HEADRACE``.
        password: Its password, as a reference: ``env:SAP_PASSWORD``.
        client: SAP client, three digits: ``100``.
        language: Language of SAP's messages. Locks with status 400 are told by English sentences,
            so with another language they read as refusals: ``EN``.
        business_partner_service: Name of the OData V2 service of business partners.
        sales_order_service: Name of the OData V2 service of sales orders.
        update_method: How a change is sent; releases before NetWeaver 7.40 know only ``MERGE``.
        business_partner_grouping: Grouping, which decides on the number range: ``BP02``.
            Empty: SAP's own default.
        business_partner_roles: Roles of a new business partner; ``FLCU01`` is the customer.
        reference_field: Where our reference of a business partner stands (20 characters).
        reference_prefix: Marks references as ours, ``HR``.
        refresh_business_partners: Whether changed names and languages are written to a business
            partner that is there already.
        vat_tax_types: SAP's tax number category for a country prefix of a VAT id, where it is
            not the prefix with a zero behind it: ``{"EL": "GR0"}``.
        sales_order_type: Order type, ``OR``.
        sales_organization: ``1710``; with the next two the sales area.
        distribution_channel: ``10``.
        division: ``00``.
        sales_area: Further properties of ``A_CustomerSalesArea`` for new customers:
            ``{"Currency": "EUR", "CustomerPaymentTerms": "0001"}``.
        price_condition_type: Condition type that takes our unit price. Our prices are gross, so
            the pricing procedure has to read it as gross: ``PR01`` in SAP's example procedures
            for prices with tax. Empty: SAP prices the items by itself.
        quantity_unit: Unit of every quantity, ``EA``. Empty: the sales unit of the material.
        rejection_reason: Reason for rejection of a cancelled order (table TVAG): ``00``.
        materials: Our product ids and SAP's material, where they differ: ``{"CAR-1": "MZ-FG-C1"}``.
        left_out: Properties and navigations that the service of this release does not have;
            they are left out of every body: ``["to_BusinessPartnerTax"]``.
    """

    base_url: Annotated[str, Meta(pattern=r"^https?://[^\s?#]*[^\s?#/]$")]
    user: Annotated[str, Meta(min_length=1)]
    password: Annotated[str, Meta(min_length=1)]
    client: Annotated[str, Meta(pattern="^[0-9]{3}$")]
    language: Annotated[str, Meta(pattern="^[A-Z]{2}$")] = "EN"
    business_partner_service: Service = "API_BUSINESS_PARTNER"
    sales_order_service: Service = "API_SALES_ORDER_SRV"
    update_method: Literal["PATCH", "MERGE"] = "PATCH"
    business_partner_grouping: Annotated[str, Meta(max_length=4)] = ""
    business_partner_roles: tuple[Annotated[str, Meta(max_length=6)], ...] = ("FLCU00", "FLCU01")
    reference_field: Literal["BusinessPartnerIDByExtSystem", "SearchTerm1", "SearchTerm2"] = (
        "BusinessPartnerIDByExtSystem"
    )
    reference_prefix: Annotated[str, Meta(pattern="^[A-Z][A-Z0-9]{0,3}$")] = "HR"
    refresh_business_partners: bool = True
    vat_tax_types: dict[str, Code4] = msgspec.field(default_factory=lambda: {"EL": "GR0"})
    sales_order_type: Code4 = "OR"
    sales_organization: Code4
    distribution_channel: Code2
    division: Code2
    sales_area: dict[str, str] = msgspec.field(default_factory=dict)
    price_condition_type: Annotated[str, Meta(max_length=4)] = "PR01"
    quantity_unit: Annotated[str, Meta(max_length=3)] = ""
    rejection_reason: Code2 = "00"
    materials: dict[str, Annotated[str, Meta(min_length=1, max_length=40)]] = msgspec.field(
        default_factory=dict
    )
    left_out: frozenset[str] = frozenset()

    def __repr__(self) -> str:
        """The settings without the password."""
        shown = (
            f"{name}={'***' if name == 'password' else repr(getattr(self, name))}"
            for name in self.__struct_fields__
        )
        return f"Settings({', '.join(shown)})"
