"""The port ``confirmations``: who comes back is confirmed once, and whoever asks is told."""

import msgspec
import pytest

from gateway.errors import HeadraceError, InDoubt, Rejected, Unavailable
from gateway.model.payment import (
    AttemptState,
    Payment,
    PaymentAttempt,
    PaymentState,
    ProviderPayment,
)
from gateway.policy import collecting
from gateway.ports.confirmations import Confirmations
from gateway.ports.exchange import Exchange
from tests.conformance import samples
from tests.conformance.subject import Account, asked, outcome


@pytest.fixture(params=asked("confirmations"), ids=lambda one: one.adapter.product)
def account(request: pytest.FixtureRequest) -> Account:
    found: Account = request.param.account("payments")
    return found


def led(account: Account, number: int = 1) -> Payment:
    """A payment whose payer is on a page."""
    attempt = PaymentAttempt(attempt_id="a", key=f"c{number}", state=AttemptState.PREPARED)
    payment = msgspec.structs.replace(
        samples.payment(number, token="", method="ideal"),
        attempts=(attempt,),
        return_url="https://shop.example/back",
    )
    made = account.run(account.port.create_payment(payment, key=f"c{number}"))
    payment, _ = collecting.apply(payment, made)
    assert PaymentState.REQUIRES_ACTION is payment.state
    return payment


def confirm(
    account: Account, payment: Payment, details: dict[str, str]
) -> Exchange[ProviderPayment]:
    port: Confirmations = account.subject.adapter.ports["confirmations"](account.settings)
    return port.confirm_payment(payment, details, key="d")


def brought(account: Account, payment: Payment, *, succeeds: bool = True) -> dict[str, str]:
    assert account.subject.come_back is not None
    return account.subject.come_back(account, payment, succeeds)


@pytest.mark.parametrize(
    ("succeeds", "state"), [(True, PaymentState.CAPTURED), (False, PaymentState.FAILED)]
)
def test_what_came_back_decides(account: Account, state: PaymentState, *, succeeds: bool) -> None:
    """The answer says what the page was told."""
    payment = led(account)
    said = account.run(confirm(account, payment, brought(account, payment, succeeds=succeeds)))

    assert state is said.state


def test_same_key_confirms_once(account: Account) -> None:
    """However often it is repeated."""
    payment = led(account)
    details = brought(account, payment)
    said = {account.run(confirm(account, payment, details)).state for _ in range(3)}

    assert {PaymentState.CAPTURED} == said
    assert 1 == account.effects("create_payment", payment.payment_id)


def test_lost_answer_is_told_again(account: Account) -> None:
    """By the same request with the same key."""
    payment = led(account)
    details = brought(account, payment)
    with account.losing_answers():
        lost = outcome(account, confirm(account, payment, details))
    assert isinstance(lost, InDoubt)

    assert PaymentState.CAPTURED is account.run(confirm(account, payment, details)).state
    assert 1 == account.effects("create_payment", payment.payment_id)


def test_request_that_never_arrived_did_nothing(account: Account) -> None:
    """It is repeated by whoever sent it."""
    payment = led(account)
    details = brought(account, payment)
    with account.unreachable():
        assert isinstance(outcome(account, confirm(account, payment, details)), Unavailable)


@pytest.mark.parametrize("details", [{}, {"nonsense": "x"}])
def test_names_that_nobody_knows_are_not_sent(account: Account, details: dict[str, str]) -> None:
    """Nothing leaves."""
    payment = led(account)
    sent = len(account.sent)

    with pytest.raises(Rejected, match="details"):
        account.run(confirm(account, payment, details))
    assert sent == len(account.sent)


def test_details_of_another_payment_confirm_none(account: Account) -> None:
    """Whatever became of the other."""
    mine, theirs = led(account, 1), led(account, 2)

    said = outcome(account, confirm(account, mine, brought(account, theirs)))

    assert isinstance(said, HeadraceError)
