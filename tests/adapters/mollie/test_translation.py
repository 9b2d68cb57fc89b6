"""Mollie's mappings as the ports use them, and with a tenant's changes."""

from typing import Any

import msgspec
import pytest

from adapters.mollie import ADAPTER, Settings
from adapters.mollie.answers import PAYMENT
from adapters.mollie.capabilities import CAPABILITIES
from adapters.mollie.translation import Translation, load
from gateway.errors import Misconfigured, Rejected
from gateway.kit import mapping
from gateway.kit.answers import Answer
from gateway.kit.mapping import installed
from gateway.model.payment import PaymentState

SETTINGS = Settings(api_key="test_1")
FAILED = {
    "id": "tr_1",
    "status": "failed",
    "amount": {"currency": "EUR", "value": "19.99"},
    "createdAt": "2026-01-01T00:00:00+00:00",
    "details": {"failureReason": "refused_by_issuer"},
}


def overlaid(text: str) -> Translation:
    document = mapping.parse(text, file="acme.overlay.yaml")
    return Translation(SETTINGS, load(SETTINGS, overlays=(document,), tenant="acme"))


def answer(**changes: Any) -> Answer[Any]:
    body = msgspec.json.encode(FAILED | changes)
    return Answer(body, PAYMENT.decode(body))


def test_a_tenant_reads_a_code_of_its_own() -> None:
    """An overlay adds an entry to a code list of an answer."""
    text = "extends: mollie.payment@1\ncodes: {failures: {refused_by_issuer: instrument_blocked}}"
    delivered = Translation(SETTINGS, load(SETTINGS)).payment_in(answer())
    changed = overlaid(text).payment_in(answer())

    assert ["declined", "instrument_blocked"] == [
        found.failure.code for found in (delivered, changed) if found.failure
    ]


def test_the_ports_take_the_mappings_of_their_system(payment: Any) -> None:
    """What the hub has loaded for a tenant is what the port sends."""
    text = "extends: mollie.payment_create@1\ncodes: {methods: {acme_pay: ideal}}"
    document = mapping.parse(text, file="acme.overlay.yaml")
    mappings = ADAPTER.load(SETTINGS, overlays=(document,), tenant="acme")
    port = ADAPTER.port("payments", SETTINGS, mappings)
    request = next(port.create_payment(payment(method_code="acme_pay"), key="k"))

    assert mappings is not None
    assert b'"method":"ideal"' in request.read()
    assert mappings["payment_create"].reference == request.extensions["headrace.mapping"]
    with pytest.raises(Rejected) as refused:
        next(
            ADAPTER.port("payments", SETTINGS).create_payment(
                payment(method_code="acme_pay"), key="k"
            )
        )
    assert "method_unsupported" == refused.value.code


def test_a_status_without_a_state_stops_the_start() -> None:
    """A code list that does not cover Mollie's statuses is found before anything is read."""
    with pytest.raises(Misconfigured) as refused:
        overlaid("extends: mollie.payment@1\ncodes: {states: {pending: null}}")

    assert "E0" in refused.value.message


def test_capabilities_and_mapping_know_the_same_methods() -> None:
    """A row without a code would be refused, a code without a row would be unknown to routing."""
    root = installed.product("mollie").documents["payment_create"].root
    codes = mapping.document.entries_of(mapping.document.section_of(root, "codes"))
    methods = set(mapping.document.entries_of(codes["methods"]))

    assert methods - {"sepa_direct_debit"} == {row.method for row in CAPABILITIES}


@pytest.mark.parametrize(
    ("fields", "captured"),
    [
        ({"status": "paid"}, 1999),
        ({"status": "paid", "amountCaptured": {"currency": "EUR", "value": "5.00"}}, 500),
        ({"status": "paid", "amountCaptured": None}, 1999),
        ({"status": "pending"}, 0),
        ({"status": "authorized", "amountCaptured": {"currency": "EUR", "value": "0.00"}}, 0),
    ],
)
def test_what_counts_as_collected(fields: dict[str, Any], captured: int) -> None:
    """What Mollie says it captured; where it says nothing, all that was paid."""
    found = Translation(SETTINGS, load(SETTINGS)).payment_in(answer(**fields))

    assert captured == found.captured.minor


def test_details_that_are_numbers() -> None:
    """Mollie's examples have an entity of digits: shown as they are."""
    details = {"multibancoEntity": 98765, "multibancoReference": "123456789"}
    page = {"checkout": {"href": "https://www.mollie.com/checkout/1", "type": "text/html"}}
    found = Translation(SETTINGS, load(SETTINGS)).payment_in(
        answer(status="open", method="multibanco", details=details, _links=page)
    )

    assert PaymentState.REQUIRES_ACTION is found.state
    assert found.next_action is not None
    assert {"entity": "98765", "reference": "123456789"} == found.next_action.details
