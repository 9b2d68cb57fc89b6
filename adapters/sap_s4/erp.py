"""Business partners and sales orders of SAP S/4HANA over its OData V2 services.

SAP knows no idempotency key. What is made carries our reference in a field that can be searched,
and is looked up before it is made, so that a repetition finds the first one.

Source: api.sap.com, API_BUSINESS_PARTNER and API_SALES_ORDER_SRV, read 2026-11.
"""

from collections.abc import Mapping
from typing import Any, Final

import httpx

from adapters.sap_s4 import translation, wire
from adapters.sap_s4.settings import Settings
from gateway.errors import InDoubt, Misconfigured, Rejected, Unavailable
from gateway.kit import mapping, odata
from gateway.model.order import Order
from gateway.model.party import Party
from gateway.model.reference import EntityKind, ExternalReference
from gateway.ports.exchange import Exchange

_SYSTEM: Final = "sap_s4"
_CONFLICTS: Final = 3  # so often a document may be changed under our hands before we give up

_Record = dict[str, Any]


class SapErp:
    """One S/4HANA client as an ERP.

    Args:
        mappings: With the tenant's overlays; None for those that are delivered.
    """

    def __init__(
        self, settings: Settings, mappings: Mapping[str, mapping.Mapping] | None = None
    ) -> None:
        self._settings = settings
        self._translation = translation.Translation(
            settings, mappings or translation.load(settings)
        )
        self._wire = wire.Wire(settings)
        self._partners = f"{settings.business_partner_service}/A_BusinessPartner"
        self._orders = f"{settings.sales_order_service}/A_SalesOrder"
        self._items = f"{settings.sales_order_service}/A_SalesOrderItem"

    def upsert_business_partner(self, party: Party, *, key: str) -> Exchange[ExternalReference]:
        """Make the business partner, or find the one made before and bring its names up to date."""
        wanted = self._translation.business_partner(party)
        found = yield from self._partner(party.party_id)
        if found is not None:
            yield from self._refresh(party.party_id, found, wanted, key)
            return _reference(EntityKind.BUSINESS_PARTNER, party.party_id, _number(found))
        response = yield self._wire.write(
            "POST", self._partners, wanted, key=key, made_by=self._translation.partners.reference
        )
        number = wire.answer(response, _number_of_partner, write=True)
        return _reference(EntityKind.BUSINESS_PARTNER, party.party_id, number, created=True)

    def find_business_partner(self, party_id: str) -> Exchange[ExternalReference | None]:
        """The business partner that carries our reference of the party."""
        found = yield from self._partner(party_id)
        if found is None:
            return None
        return _reference(EntityKind.BUSINESS_PARTNER, party_id, _number(found))

    def create_sales_order(
        self, order: Order, business_partner: str, *, key: str
    ) -> Exchange[ExternalReference]:
        """Make a sales order with our order id as the customer's reference, unless there is one."""
        body = self._translation.sales_order(order, business_partner)
        found = yield from self.find_sales_order(order.order_id)
        if found is not None:
            return found
        response = yield self._wire.write(
            "POST", self._orders, body, key=key, made_by=self._translation.orders.reference
        )
        number = wire.answer(response, _number_of_order, write=True)
        return _reference(EntityKind.SALES_ORDER, order.order_id, number, created=True)

    def find_sales_order(self, order_id: str) -> Exchange[ExternalReference | None]:
        """The sales order whose customer reference is our order id."""
        reference = translation.order_reference(order_id)
        found = yield from self._only(
            self._orders, "PurchaseOrderByCustomer", reference, "SalesOrder"
        )
        if found is None:
            return None
        return _reference(EntityKind.SALES_ORDER, order_id, odata.external(found["SalesOrder"]))

    def cancel_sales_order(
        self, order_id: str, sales_order: str, *, key: str
    ) -> Exchange[ExternalReference]:
        """Reject every item that is not rejected yet, one by one.

        Each change makes a new entity tag for the whole document, so it is read before each.
        """
        body, conflicts, changed = self._translation.rejection(), 0, 0
        made_by = self._translation.rejections.reference
        while True:
            order = yield from self._order(order_id, sales_order)
            item = _first_open(order)
            if item is None:
                number = odata.external(sales_order)
                return _reference(EntityKind.SALES_ORDER, order_id, number, created=changed > 0)
            if changed == len(odata.children(order["to_Item"])):
                raise Misconfigured(
                    "SAP does not keep the reason for rejection.", code="rejection_ignored"
                )
            path = self._items + _item_key(item)
            response = yield self._change(path, body, order, item, key=key, made_by=made_by)
            if _is_stale(response):
                conflicts = _once_more(conflicts)
                continue
            wire.done(response)
            changed += 1

    def _partner(self, party_id: str) -> Exchange[_Record | None]:
        settings = self._settings
        reference = translation.partner_reference(settings, party_id)
        shown = [name for name in translation.REFRESHED if name not in settings.left_out]
        return (
            yield from self._only(
                self._partners, settings.reference_field, reference, "BusinessPartner", *shown
            )
        )

    def _only(
        self, path: str, field: str, value: str, number: str, *shown: str
    ) -> Exchange[_Record | None]:
        """The one entity with a value in a field; more than one is nobody's to choose from."""

        def read(body: bytes) -> list[_Record]:
            rows = odata.entities(body)
            for row in rows:
                wire.text(row, number)
                # A proxy that drops the query would otherwise hand us a stranger's document.
                if row.get(field) != value:
                    raise ValueError(f"{field} is not what was asked for")
            return rows

        response = yield self._wire.read(
            path,
            {
                "$filter": f"{field} eq {odata.literal(value)}",
                "$select": ",".join((number, field, *shown)),
            },
        )
        hits = wire.answer(response, read, write=False)
        if len(hits) > 1:
            raise InDoubt(
                f"SAP has {len(hits)} documents with our reference.", code="duplicate_in_system"
            )
        return hits[0] if hits else None

    def _refresh(self, party_id: str, found: _Record, wanted: _Record, key: str) -> Exchange[None]:
        """Write changed names; without an entity tag the business partner is left as found."""
        conflicts = 0
        while changes := translation.changes(wanted, found):
            if not (odata.etag(found) and self._settings.refresh_business_partners):
                return
            # The number as this system writes it: not every release converts keys in addresses.
            path = self._partners + odata.key(found["BusinessPartner"])
            made_by = self._translation.partners.reference
            response = yield self._change(path, changes, found, found, key=key, made_by=made_by)
            if not _is_stale(response):
                return wire.done(response)
            conflicts = _once_more(conflicts)
            found = (yield from self._partner(party_id)) or found

    def _order(self, order_id: str, sales_order: str) -> Exchange[_Record]:
        """The sales order with its items, found by our reference and then told by its number."""
        reference = translation.order_reference(order_id)
        response = yield self._wire.read(
            self._orders,
            {
                "$filter": f"PurchaseOrderByCustomer eq {odata.literal(reference)}",
                "$expand": "to_Item",
            },
        )
        for order in wire.answer(response, _with_items, write=False):
            same = odata.external(order["SalesOrder"]) == odata.external(sales_order)
            if same and order.get("PurchaseOrderByCustomer") == reference:
                return order
        raise Rejected("The sales order is not of this order.", code="reference_mismatch")

    def _change(
        self,
        path: str,
        body: _Record,
        document: _Record,
        part: _Record,
        *,
        key: str,
        made_by: str,
    ) -> httpx.Request:
        """A change under the part's own entity tag, or its document's where it has none."""
        match = odata.etag(part) or odata.etag(document)
        method = self._settings.update_method
        return self._wire.write(method, path, body, key=key, match=match, made_by=made_by)


def _reference(
    entity: EntityKind, entity_id: str, number: str, *, created: bool = False
) -> ExternalReference:
    return ExternalReference(
        entity=entity, entity_id=entity_id, system=_SYSTEM, external_id=number, created=created
    )


def _number(partner: _Record) -> str:
    return odata.external(wire.text(partner, "BusinessPartner"))


def _number_of_partner(body: bytes) -> str:
    return _number(odata.entity(body))


def _number_of_order(body: bytes) -> str:
    return odata.external(wire.text(odata.entity(body), "SalesOrder"))


def _with_items(body: bytes) -> list[_Record]:
    orders = odata.entities(body)
    for order in orders:
        wire.text(order, "SalesOrder")
        for item in odata.children(order.get("to_Item")):
            _item_key(item)
    return orders


def _first_open(order: _Record) -> _Record | None:
    items = odata.children(order["to_Item"])
    return next((each for each in items if not each.get("SalesDocumentRjcnReason")), None)


def _item_key(item: _Record) -> str:
    return odata.key({name: wire.text(item, name) for name in ("SalesOrder", "SalesOrderItem")})


def _once_more(conflicts: int) -> int:
    """Count a conflict; reading again and again would race for ever."""
    if conflicts == _CONFLICTS:
        raise Unavailable("Others keep changing the document in SAP.", code="stale")
    return conflicts + 1


def _is_stale(response: httpx.Response) -> bool:
    return response.status_code in wire.STALE
