"""Field by field: our party and order as Salesforce's Account and Opportunity.

Source: Object Reference for the Salesforce Platform, "Account" and "Opportunity", 67.0; lengths
recalled from the same pages, checked against the simulator only.
"""

from typing import Any

import msgspec

from adapters.salesforce.settings import Settings
from gateway.errors import Rejected
from gateway.model.money import Money
from gateway.model.order import Order, OrderState
from gateway.model.party import Address, Party, PartyKind

ACCOUNT = "Account"
OPPORTUNITY = "Opportunity"

# Salesforce cuts nothing: one character too many refuses the record with STRING_TOO_LONG.
LENGTHS = {
    (ACCOUNT, "Name"): 255,
    (ACCOUNT, "BillingStreet"): 255,
    (ACCOUNT, "BillingCity"): 40,
    (ACCOUNT, "BillingPostalCode"): 20,
    (OPPORTUNITY, "Name"): 120,
}

_OPEN, _WON, _LOST = "stage_open", "stage_won", "stage_lost"
STAGES = {
    OrderState.SUBMITTED: _OPEN,
    OrderState.RISK_REVIEW: _OPEN,
    OrderState.ACCEPTED: _WON,
    OrderState.IN_FULFILMENT: _WON,
    OrderState.COMPLETED: _WON,
    OrderState.REJECTED: _LOST,
    OrderState.CANCELLED: _LOST,
}

_ENCODER = msgspec.json.Encoder()


def external_id(entity_id: str) -> str:
    """Our id as it stands in the external id field and in the path.

    A dot becomes a tilde, which our ids never contain: Salesforce answers 404 where the id ends
    like a file name (``.inc``), and ``..`` would change the path.

    Source: REST API Developer Guide, "sObject Rows by External ID", note on file extensions.
    """
    return entity_id.replace(".", "~")


def entity_id(external: str) -> str:
    """Our id from the one in the external id field."""
    return external.replace("~", ".")


def account(settings: Settings, party: Party) -> bytes:
    """The Account of a party, as JSON."""
    address = party.addresses[0]
    fields: dict[str, Any] = {
        "Name": party.display_name,
        "BillingStreet": _street(address),
        "BillingPostalCode": address.postal_code,
        "BillingCity": address.city,
        settings.country_field: address.country,
    }
    if settings.vat_id_field and party.kind is PartyKind.ORGANISATION:
        fields[settings.vat_id_field] = party.vat_id  # null clears a number that is gone
    return _checked(ACCOUNT, fields)


def opportunity(settings: Settings, order: Order, account_id: str) -> bytes:
    """The Opportunity of an order, as JSON."""
    fields: dict[str, Any] = {
        "Name": f"Order {order.reference or order.order_id}",
        "AccountId": account_id,
        "StageName": getattr(settings, STAGES[order.state]),
        "CloseDate": order.submitted_at[:10],
        "Amount": _amount(settings, order.total),
    }
    if settings.multi_currency:
        fields["CurrencyIsoCode"] = order.total.currency
    return _checked(OPPORTUNITY, fields)


def _street(address: Address) -> str:
    first = " ".join(part for part in (address.line1, address.house_number) if part)
    return "\n".join(line for line in (first, address.line2) if line)


def _amount(settings: Settings, total: Money) -> msgspec.Raw | None:
    if not settings.multi_currency and total.currency != settings.currency:
        return None
    return msgspec.Raw(total.amount.encode("ascii"))  # a JSON number that was never a float


def _checked(sobject: str, fields: dict[str, Any]) -> bytes:
    for name, value in fields.items():
        if isinstance(value, str) and len(value) > LENGTHS.get((sobject, name), len(value)):
            raise Rejected(
                "A field of the record is longer than Salesforce takes.",
                code="field_too_long",
                detail=f"{sobject}.{name}",
            )
    return _ENCODER.encode(fields)
