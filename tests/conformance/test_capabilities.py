"""Capabilities: what an adapter says it can do with a method, it does."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from gateway.commands.check import verbs
from gateway.errors import Rejected
from gateway.model.bank_account import BankAccount
from gateway.model.capability import Capability
from gateway.model.money import Money
from gateway.model.payment import CaptureMethod, Payment, PaymentState
from gateway.model.split import PLATFORM, Split, SplitKind
from tests.conformance import samples
from tests.conformance.subject import Account, Subject, fulfilling
from tests.redacting import redact_body


def _where(holds: Callable[[Capability], bool] = lambda _row: True) -> list[Any]:
    return [
        pytest.param(one, row, id=f"{one.adapter.product}-{row.method}")
        for one in fulfilling("payments")
        for row in one.adapter.capabilities
        if holds(row)
    ]


_ROWS = _where()

_HELD = {PaymentState.AUTHORISED, PaymentState.REQUIRES_ACTION}
_TAKEN = {
    PaymentState.CAPTURED,
    PaymentState.PENDING,
    PaymentState.REQUIRES_ACTION,
    PaymentState.SETTLED,
}


def _payment(subject: Subject, row: Capability, **fields: Any) -> Payment:
    currency = row.currencies[0] if row.currencies else "EUR"
    accepted = subject.tokens.get(row.method, subject.tokens["accepted"])
    payment = samples.payment(1, token=accepted if row.token else "", amount=Money(2000, currency))
    page = "https://shop.example/back" if row.redirect else ""
    values: dict[str, Any] = {"method_code": row.method, "return_url": page}
    if row.held:
        values["capture_method"] = CaptureMethod.MANUAL
    if row.mandate:
        values["mandate_id"] = "M-1"
    if row.payer:
        country = row.countries[0] if row.countries else "DE"
        business = row.method in subject.businesses
        values["payer"] = samples.payer(country, organisation=business)
        values["items"] = samples.basket(payment.amount)
    if row.bank_account:
        values["bank_account"] = samples.bank_account()
    return msgspec.structs.replace(payment, **values | fields)


@pytest.mark.parametrize(("subject", "row"), _ROWS)
def test_method_is_collected(subject: Subject, row: Capability) -> None:
    """At once, or after what the payer has to do; who has only to transfer needs no page."""
    account = subject.account("payments")

    made = account.run(account.port.create_payment(_payment(subject, row), key="k"))

    assert made.state in (_HELD if row.held else _TAKEN)
    is_led = made.next_action is not None and made.state is PaymentState.REQUIRES_ACTION
    assert row.redirect == is_led


@pytest.mark.parametrize(("subject", "row"), _ROWS)
def test_method_is_held_where_it_can_be(subject: Subject, row: Capability) -> None:
    """And refused before anything is sent where it cannot."""
    account = subject.account("payments")
    payment = _payment(subject, row, capture_method=CaptureMethod.MANUAL)

    if "capture_payment" not in row.verbs:
        with pytest.raises(Rejected):
            account.run(account.port.create_payment(payment, key="k"))
        assert [] == account.sent
        return
    made = account.run(account.port.create_payment(payment, key="k"))

    assert made.state in _HELD


@pytest.mark.parametrize(("subject", "row"), _where(lambda row: row.payer))
def test_payer_is_asked_for_before_anything_is_sent(subject: Subject, row: Capability) -> None:
    """A method that needs somebody to be named is refused without, and says so."""
    account = subject.account("payments")
    payment = _payment(subject, row, payer=None, items=())

    with pytest.raises(Rejected, match="payer"):
        account.run(account.port.create_payment(payment, key="k"))
    assert [] == account.sent


@pytest.mark.parametrize(("subject", "row"), _where(lambda row: row.bank_account))
@pytest.mark.parametrize("account_known", [None, "DE**3000"])
def test_account_is_asked_for_before_anything_is_sent(
    subject: Subject, row: Capability, account_known: str | None
) -> None:
    """None, or what is shown of one, is no account."""
    account = subject.account("payments")
    known = BankAccount(iban=account_known, holder="A***") if account_known else None

    with pytest.raises(Rejected, match="bank_account") as refused:
        account.run(
            account.port.create_payment(_payment(subject, row, bank_account=known), key="k")
        )
    assert ("bank_account_missing", []) == (refused.value.code, account.sent)


@pytest.mark.parametrize(("subject", "row"), _where(lambda row: row.payer))
def test_payer_is_told_and_stands_in_no_evidence(subject: Subject, row: Capability) -> None:
    """The provider knows who it is; whoever reads what was sent does not."""
    account = subject.account("payments")
    account.run(account.port.create_payment(_payment(subject, row), key="k"))
    sent = [(one.headers.get("content-type", ""), one.read()) for one in account.sent]
    evidence = "".join(redact_body(*one, subject.adapter.readable) for one in sent)

    assert any(one.encode() in body for _, body in sent for one in samples.SHOWN_NOWHERE)
    assert [] == [one for one in samples.SHOWN_NOWHERE if one in evidence]


@pytest.mark.parametrize(("subject", "row"), _where(lambda row: row.splits > 1))
def test_money_is_divided(subject: Subject, row: Capability) -> None:
    """A part for a member, the rest for the platform."""
    account = subject.account("payments")
    payment = _payment(subject, row)
    half = Money(payment.amount.minor // 2, payment.amount.currency)
    parts = (
        Split(party=subject.member, amount=half),
        Split(party=PLATFORM, kind=SplitKind.REMAINDER),
    )

    made = account.run(
        account.port.create_payment(msgspec.structs.replace(payment, splits=parts), key="k")
    )

    assert made.state in _TAKEN | _HELD


@pytest.mark.parametrize(("subject", "row"), _ROWS)
def test_verbs_are_those_of_a_port(subject: Subject, row: Capability) -> None:
    """A verb that no port has could never be called."""
    known = {verb for port in subject.adapter.ports for verb in verbs(port)}

    assert set(row.verbs) <= known


@pytest.mark.parametrize("subject", fulfilling("payments"), ids=lambda one: one.adapter.product)
def test_other_methods_are_refused(subject: Subject) -> None:
    """A method that no row names: nothing is sent."""
    account: Account = subject.account("payments")
    payment = samples.payment(1, token=subject.tokens["accepted"])

    odd = msgspec.structs.replace(payment, method_code="cowrie_shells")

    with pytest.raises(Rejected) as refused:
        account.run(account.port.create_payment(odd, key="k"))

    assert "method_unsupported" == refused.value.code
    assert [] == account.sent
