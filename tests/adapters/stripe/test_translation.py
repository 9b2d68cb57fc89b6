"""Stripe's mappings as the ports use them, and with a tenant's changes."""

from typing import Any

import msgspec
import pytest

from adapters.stripe import ADAPTER, Settings
from adapters.stripe.answers import INTENT
from adapters.stripe.translation import Translation, load
from gateway.errors import Misconfigured, Rejected
from gateway.kit import mapping
from gateway.kit.answers import Answer
from gateway.kit.blocking import run
from gateway.model.payment import CaptureMethod, PaymentState

SETTINGS = Settings(secret_key="sk_test")
INTENT_IN = {
    "id": "pi_1",
    "amount": 1999,
    "currency": "eur",
    "created": 1,
    "status": "requires_payment_method",
    "last_payment_error": {"code": "card_declined", "decline_code": "do_not_honor"},
    "metadata": {"region": "north"},
}


def overlaid(text: str) -> Translation:
    document = mapping.parse(text, file="acme.overlay.yaml")
    return Translation(load(SETTINGS, overlays=(document,), tenant="acme"))


def answer(**changes: Any) -> Answer[Any]:
    body = msgspec.json.encode(INTENT_IN | changes)
    return Answer(body, INTENT.decode(body))


def test_a_tenant_reads_a_code_of_its_own() -> None:
    """An overlay adds an entry to a code list of an answer."""
    text = "extends: stripe.payment_intent@1\ncodes: {failures: {do_not_honor: instrument_blocked}}"
    delivered = Translation(load(SETTINGS)).payment_in(answer())
    changed = overlaid(text).payment_in(answer())

    assert ["declined", "instrument_blocked"] == [
        found.failure.code for found in (delivered, changed) if found.failure
    ]


def test_a_tenant_reads_a_field_that_nobody_else_reads() -> None:
    """Mappings read the bytes that came: the fields of the adapter's own Structs are no limit."""
    text = (
        "extends: stripe.payment_intent@1\n"
        "fields: {provider_ref: metadata.region | default(id)}\nunused: [amount, amount_received]"
    )

    assert "north" == overlaid(text).payment_in(answer()).provider_ref


def test_the_ports_take_the_mappings_of_their_system(payment: Any) -> None:
    """What the hub has loaded for a tenant is what the port sends."""
    text = "extends: stripe.payment_create@1\ncodes: {methods: {acme_pay: card}}"
    document = mapping.parse(text, file="acme.overlay.yaml")
    mappings = ADAPTER.load(SETTINGS, overlays=(document,), tenant="acme")
    port = ADAPTER.port("payments", SETTINGS, mappings)
    request = next(port.create_payment(payment(method_code="acme_pay"), key="k"))

    assert mappings is not None
    assert b"payment_method_types[]=card&" in request.read()
    assert mappings["payment_create"].reference == request.extensions["headrace.mapping"]
    with pytest.raises(Rejected) as refused:
        next(
            ADAPTER.port("payments", SETTINGS).create_payment(
                payment(method_code="acme_pay"), key="k"
            )
        )
    assert "method_unsupported" == refused.value.code


def test_a_status_without_a_state_stops_the_start() -> None:
    """A code list that does not cover Stripe's statuses is found before anything is read."""
    with pytest.raises(Misconfigured) as refused:
        overlaid("extends: stripe.payment_intent@1\ncodes: {states: {processing: null}}")

    assert "E0" in refused.value.message


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"method_code": "voucher"}, "method_unsupported"),
        ({"method_code": "voucher", "capture_method": CaptureMethod.MANUAL}, "method_unsupported"),
        (
            {"method_code": "sepa_debit", "capture_method": CaptureMethod.MANUAL},
            "capture_method_unsupported",
        ),
        ({"payment_id": "p" * 501}, "field_too_long"),
    ],
)
def test_what_a_form_cannot_hold_is_refused(
    payment: Any, fields: dict[str, Any], code: str
) -> None:
    """Nothing is sent, and the reason is ours."""
    exchange = ADAPTER.port("payments", SETTINGS).create_payment(payment(**fields), key="k")

    with pytest.raises(Rejected) as refused:
        run(exchange, lambda _: pytest.fail("sent"))
    assert code == refused.value.code


def test_a_failure_without_a_code_is_a_decline() -> None:
    """A payment that failed always says why, though Stripe may not."""
    found = Translation(load(SETTINGS)).payment_in(answer(last_payment_error={}))

    assert PaymentState.FAILED is found.state
    assert found.failure is not None
    assert ("declined", "", False) == (
        found.failure.code,
        found.failure.provider_code,
        found.failure.retryable,
    )
