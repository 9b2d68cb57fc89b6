"""Our model and SAP's entities: ``mappings/sap_s4`` says which field goes where.

Here is what a mapping cannot say: our references, the lines that a name is written in, and the
settings that change the mapping itself, of which an overlay is made.
"""

import base64
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from adapters.sap_s4.settings import Settings
from gateway.errors import Misconfigured, Rejected
from gateway.kit import mapping, odata
from gateway.kit.mapping import pointing
from gateway.kit.mapping.document import Node, entries_of, section_of
from gateway.kit.mapping.installed import mappings_of, product
from gateway.kit.mapping.runtime import fold, oneline
from gateway.model.order import Order
from gateway.model.party import Party, PartyKind

REFERENCE_LENGTH: Final = 20
_ORDER_REFERENCE_LENGTH: Final = 35

_LINES: Final = ("name1", "name2", "name3", "name4")
_NO_NAMES: Final = dict.fromkeys(("given", "family", *_LINES))
_LINE_LENGTH: Final = 40
# What is written again to a business partner that is there already. Addresses, tax numbers and
# sales areas are not: their entities carry no entity tag, so SAP's own changes would be lost.
REFRESHED: Final = (
    *(f"OrganizationBPName{number}" for number in range(1, 5)),
    *("FirstName", "MiddleName", "LastName", "AdditionalLastName"),
    "CorrespondenceLanguage",
    "BirthDate",
)
_REFERENCE: Final = "needs.reference"


def partner_reference(settings: Settings, party_id: str) -> str:
    """Our reference of a party: always the same, upper case, 20 characters at most."""
    digest = base64.b32encode(hashlib.sha256(party_id.encode()).digest()).decode("ascii")
    return (settings.reference_prefix + digest)[:REFERENCE_LENGTH]


def order_reference(order_id: str) -> str:
    """Our order id as the customer's purchase order number: 35 characters hold no hyphens."""
    reference = order_id.replace("-", "")
    if len(reference) > _ORDER_REFERENCE_LENGTH:
        limit = _ORDER_REFERENCE_LENGTH
        raise Rejected(f"order_id is longer than {limit} characters.", code="field_too_long")
    return reference


def load(
    settings: Settings, *, overlays: Sequence[mapping.Document] = (), tenant: str = ""
) -> mapping.Made:
    """The mappings for one system: the installed ones, its settings, the tenant's overlays.

    Raises:
        Refused: One of them does not fit SAP's metadata.
        Misconfigured: An overlay changes the field that documents are found by.
    """
    config = {
        "sales_order_type": settings.sales_order_type,
        "sales_organization": settings.sales_organization,
        "distribution_channel": settings.distribution_channel,
        "division": settings.division,
        "materials": settings.materials,
        "quantity_unit": settings.quantity_unit,
        "price_condition": settings.price_condition_type,
        "rejection_reason": settings.rejection_reason,
        "grouping": settings.business_partner_grouping,
        "vat_tax_types": settings.vat_tax_types,
    }
    laid = (*_overlays(settings), *overlays)
    made = mappings_of("sap_s4", config, overlays=laid, tenant=tenant)
    accepts(settings, made)
    return made


def accepts(settings: Settings, mappings: Mapping[str, mapping.Mapping]) -> None:
    """Refuse mappings whose documents would not be found again.

    Raises:
        Misconfigured: Our reference is not in the field that is searched.
    """
    _check_reference(mappings["sales_order"], "PurchaseOrderByCustomer")
    _check_reference(mappings["business_partner"], settings.reference_field)


def _check_reference(made: mapping.Mapping, field: str) -> None:
    """Without our reference nothing is found again, and made a second time."""
    if not any(each.target == f"/{field}" and each.rule == _REFERENCE for each in made.lineage()):
        raise Misconfigured(
            f"{made.name}: {field} has to be {_REFERENCE}, by which it is looked up",
            code="mapping_refused",
        )


class Translation:
    """Bodies for one system.

    Args:
        mappings: As ``load`` makes them.
    """

    def __init__(self, settings: Settings, mappings: Mapping[str, mapping.Mapping]) -> None:
        self._settings = settings
        self.partners = mappings["business_partner"]
        self.orders = mappings["sales_order"]
        self.rejections = mappings["rejection"]

    def business_partner(self, party: Party) -> dict[str, Any]:
        """The body that makes a business partner with address, roles and sales area.

        Raises:
            Rejected: A technical field does not fit.
        """
        reference = partner_reference(self._settings, party.party_id)
        return _apply(self.partners, party, {"reference": reference, **_names(party)})

    def sales_order(self, order: Order, business_partner: str) -> dict[str, Any]:
        """The body that makes a sales order with items and prices.

        Raises:
            Rejected: A technical field does not fit, or a price is in another currency.
        """
        currency = order.total.currency
        for item in order.items:
            if item.unit_price.currency != currency:
                field = f"items[{order.items.index(item)}].unit_price"
                raise Rejected(f"{field} has another currency.", code="currency_mixed")
        reference = order_reference(order.order_id)
        return _apply(
            self.orders, order, {"business_partner": business_partner, "reference": reference}
        )

    def rejection(self) -> dict[str, Any]:
        """The body that rejects one item of a sales order."""
        return _apply(self.rejections, None, {})


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


def _apply(made: mapping.Mapping, source: Any, needs: dict[str, Any]) -> dict[str, Any]:
    with pointing.refusing(made, source):
        body: dict[str, Any] = made.apply(source, needs)
    return body


def _names(party: Party) -> dict[str, str | None]:
    """Given and family name of a person, or the lines of an organisation's name."""
    if party.kind is PartyKind.PERSON:
        *given, family = party.names
        return _NO_NAMES | {"given": " ".join(given), "family": family}
    lines = [oneline(name) for name in party.names]
    if any(len(each) > _LINE_LENGTH for each in lines):
        widths = (_LINE_LENGTH,) * len(_LINES)
        lines = [fold(" ".join(lines), widths, number) for number in range(len(_LINES))]
    return _NO_NAMES | dict(zip(_LINES, lines, strict=False))


def _comparable(name: str, value: Any) -> Any:
    if name != "BirthDate":
        return value or ""
    try:
        return odata.read_date(value)
    except (TypeError, ValueError):
        return value


# Settings that change a mapping ---------------------------------------------------------------


def _overlays(settings: Settings) -> Iterator[mapping.Document]:
    """The settings as overlays: what they add to a business partner, and what they leave out."""
    left_out = settings.left_out
    if not settings.price_condition_type:
        left_out |= {"to_PricingElement"}
    added = {name: rule for name, rule in _added(settings).items() if name not in left_out}
    if added:
        yield _overlay("business_partner", added)
    for name, document in product("sap_s4").documents.items():
        removed = _without(section_of(document.root, "fields"), left_out)
        if removed:
            yield _overlay(name, removed)


def _overlay(name: str, fields: dict[str, Any]) -> mapping.Document:
    root = product("sap_s4").documents[name].root
    major = str(entries_of(root)["version"].value).partition(".")[0]
    patch = {"extends": f"sap_s4.{name}@{major}", "fields": fields}
    return mapping.parse(msgspec.json.encode(patch).decode(), file="(settings of the system)")


def _added(settings: Settings) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    if settings.reference_field != "BusinessPartnerIDByExtSystem":
        fields |= {"BusinessPartnerIDByExtSystem": None, settings.reference_field: _REFERENCE}
    if settings.business_partner_roles != ("FLCU00", "FLCU01"):
        roles = settings.business_partner_roles
        blocks = [{"fields": {"BusinessPartnerRole": {"const": role}}} for role in roles]
        fields["to_BusinessPartnerRole"] = blocks or None
    area = {
        name: {"const": value}
        for name, value in settings.sales_area.items()
        if value and name not in settings.left_out
    }
    if area:
        block = {"id": "main", "fields": area}
        fields["to_Customer"] = {"fields": {"to_CustomerSalesArea": [block]}}
    return fields


def _without(fields: Node, left_out: frozenset[str]) -> dict[str, Any]:
    """An overlay of these fields that removes what is left out, at any depth."""
    patch: dict[str, Any] = {}
    for name, node in entries_of(fields).items():
        if name in left_out:
            patch[name] = None
        elif isinstance(node.value, list):
            blocks = [_block(each, left_out) for each in node.value]
            patch[name] = [each for each in blocks if each["fields"]]
        elif "fields" in entries_of(node):
            patch[name] = _block(node, left_out)
    return {name: rule for name, rule in patch.items() if rule is None or _says(rule)}


def _block(block: Node, left_out: frozenset[str]) -> dict[str, Any]:
    parts = entries_of(block)
    name = {"id": parts["id"].value} if "id" in parts else {}
    return name | {"fields": _without(parts["fields"], left_out)}


def _says(rule: Any) -> bool:
    return bool(rule if isinstance(rule, list) else rule["fields"])
