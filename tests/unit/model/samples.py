"""Orders for the tests of the model, as plain data and as the model has them."""

from typing import Any

from gateway.model import codec
from gateway.model.order import NewOrder, Order, OrderState
from gateway.model.reference import EntityKind, ExternalReference


def plain_party() -> dict[str, Any]:
    """A company in Köln, as a front-end sends it."""
    return {
        "party_id": "C-100042",
        "kind": "ORGANISATION",
        "names": ["Müller & Söhne", "Straßenbau GmbH"],
        "addresses": [
            {
                "line1": "Aachener Straße",
                "house_number": "12 a",
                "postal_code": "50674",
                "city": "Köln",
                "country": "DE",
            }
        ],
        "vat_id": "DE123456789",
        "email": "einkauf@mueller.example",
        "phone": "+49 (221) 123-45",
    }


def plain_order() -> dict[str, Any]:
    """An order with one line, as a front-end sends it."""
    return {
        "channel": "B2C",
        "party": plain_party(),
        "items": [
            {
                "product_id": "TG11",
                "quantity": 2,
                "unit_price": {"amount": "9.95", "currency": "EUR"},
            }
        ],
        "total": {"amount": "19.90", "currency": "EUR"},
        "payment": {"method_code": "card", "token": "pm_card_visa"},
    }


def new_order() -> NewOrder:
    """The same, read."""
    return codec.convert(plain_order(), NewOrder)


def order() -> Order:
    """The same, accepted and known to SAP."""
    asked = new_order()
    reference = ExternalReference(
        entity=EntityKind.SALES_ORDER, entity_id="o-1", system="sap_s4", external_id="4711"
    )
    return Order(
        order_id="o-1",
        state=OrderState.ACCEPTED,
        channel=asked.channel,
        kind=asked.kind,
        party=asked.party,
        items=asked.items,
        total=asked.total,
        payment=asked.payment,
        reference=asked.reference,
        note=asked.note,
        submitted_at="2026-11-21T00:00:00Z",
        payment_id="p-1",
        external_refs=(reference,),
    )
