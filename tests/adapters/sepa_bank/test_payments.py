"""Promises: what is checked before any file is written, and what is answered without asking."""

from typing import Any

import msgspec
import pytest

from adapters.sepa_bank import references
from adapters.sepa_bank.payments import SepaBankPayments
from gateway.errors import Rejected
from gateway.kit.blocking import run
from gateway.kit.sepa import identifiers
from gateway.model.money import Money
from gateway.model.movement import Movement, MovementKind, MovementState
from gateway.model.payment import CaptureMethod, Payment, PaymentState
from tests.adapters.sepa_bank.conformance import settings
from tests.conformance import samples

PORT = SepaBankPayments(settings())
EURO = Money(100, "EUR")


def ask(exchange: Any) -> Any:
    """The answer of an exchange that sends nothing."""

    def send(_request: object) -> Any:
        raise AssertionError("a request was made")

    return run(exchange, send)


def payment(**fields: Any) -> Payment:
    made = samples.payment(1, token="", method="sepa_debit")
    return msgspec.structs.replace(made, **{"mandate_id": "M-1", **fields})


def test_promise_is_the_same_every_time() -> None:
    """PENDING under a reference made of the payment's id, which fits into a file."""
    first, second = (ask(PORT.create_payment(payment(), key=key)) for key in ("k", "other"))

    assert first == second
    assert (PaymentState.PENDING, 0) == (first.state, first.captured.minor)
    assert payment().payment_id.replace("-", "") == first.provider_ref
    assert "" == identifiers.reference_fault(first.provider_ref)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"method_code": "card"}, "method_unsupported"),
        ({"mandate_id": ""}, "mandate_missing"),
        ({"mandate_id": "M_1"}, "mandate_invalid"),
        ({"mandate_id": "M" * 36}, "mandate_invalid"),
        ({"amount": Money(100, "CHF")}, "currency_unsupported"),
        ({"amount": Money(0, "EUR")}, "amount_invalid"),
        ({"amount": Money(100_000_000_000, "EUR")}, "amount_invalid"),
        ({"due": "2026-02-30"}, "due_invalid"),
        ({"reference": "注文"}, "reference_invalid"),
        ({"capture_method": CaptureMethod.MANUAL}, "capture_method_unsupported"),
    ],
    ids=str,
)
def test_what_no_file_takes_is_refused(fields: dict[str, Any], code: str) -> None:
    """At once, not when the file is written."""
    with pytest.raises(Rejected) as refused:
        ask(PORT.create_payment(payment(**fields), key="k"))

    assert code == refused.value.code


def test_nothing_is_captured_later() -> None:
    """A bank holds nothing."""
    with pytest.raises(Rejected):
        ask(PORT.capture_payment(payment(), EURO, key="k"))


def test_found_by_the_reference_that_was_promised() -> None:
    """Before a promise was kept there is nothing, and nothing under another's reference."""
    known = payment(provider_ref=references.of_payment(payment().payment_id))

    assert ask(PORT.find_payment(payment())) is None
    assert ask(PORT.find_payment(payment(provider_ref="another"))) is None
    assert PaymentState.PENDING is ask(PORT.find_payment(known)).state


@pytest.mark.parametrize("state", list(MovementState))
def test_not_cancelled_once_it_stands_in_a_file(state: MovementState) -> None:
    """Whatever has become of it."""
    moved = Movement(kind=MovementKind.CAPTURE, ref="r", state=state, amount=EURO)

    assert PaymentState.CANCELLED is ask(PORT.cancel_payment(payment(), key="k")).state
    with pytest.raises(Rejected) as refused:
        ask(PORT.cancel_payment(payment(movements=(moved,)), key="k"))
    assert "already_submitted" == refused.value.code


def test_refund_is_a_promise_too() -> None:
    """Found once it is known; each refund has a reference that names its payment."""
    ours = payment()
    ids = [f"{ours.payment_id}-refund", f"{ours.payment_id}-refund-2"]
    made = [ask(PORT.refund_payment(ours, one, EURO, key="k")) for one in ids]
    known = payment(movements=(made[0].movement,))

    whose = references.of_payment(ours.payment_id)
    assert [f"{whose}R1", f"{whose}R2"] == [one.provider_ref for one in made]
    assert {PaymentState.PENDING} == {one.state for one in made}
    assert [whose, whose] == [references.refunded(one.provider_ref) for one in made]
    assert made[0] == ask(PORT.find_refund(known, ids[0]))
    assert ask(PORT.find_refund(known, ids[1])) is None


def test_refund_without_an_account_to_pay_to() -> None:
    """Refused, and nothing is promised."""
    with pytest.raises(Rejected):
        ask(PORT.refund_payment(payment(mandate_id=""), "x-refund", EURO, key="k"))


@pytest.mark.parametrize("reference", ["", "M-1", "0" * 32, f"{'0' * 32}R0", f"{'G' * 32}R1"])
def test_other_references_are_no_refunds(reference: str) -> None:
    """Lines of others may hold anything."""
    assert "" == references.refunded(reference)
