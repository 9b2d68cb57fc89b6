"""The port ``adjustments``: what is authorised is raised once, and whoever asks is told."""

import msgspec
import pytest

from gateway.errors import HeadraceError, Rejected, Unavailable
from gateway.model.money import Money
from gateway.model.payment import AttemptState, Payment, PaymentAttempt, PaymentState, WishState
from gateway.policy import adjusting, collecting
from tests.conformance import samples
from tests.conformance.subject import Account, asked, outcome

_AT = "2026-03-02T09:00:00+00:00"


@pytest.fixture(params=asked("adjustments"), ids=lambda one: one.adapter.product)
def account(request: pytest.FixtureRequest) -> Account:
    found: Account = request.param.account("payments")
    return found


def held(account: Account, number: int = 1) -> Payment:
    """19.99 that are held, and may be raised."""
    token = account.subject.tokens["accepted"]
    payment = samples.payment(number, token=token, manual=True, method=account.subject.method)
    attempt = PaymentAttempt(attempt_id="a", key=f"c{number}", state=AttemptState.PREPARED)
    payment = msgspec.structs.replace(payment, adjustable=True, attempts=(attempt,))
    made = account.run(account.port.create_payment(payment, key=f"c{number}"))
    payment, _ = collecting.apply(payment, made)
    return payment


def raised(account: Account, payment: Payment, minor: int, *, key: str = "u") -> Payment:
    """The payment after one wish to raise it, and all that was reported."""
    port = account.subject.adapter.ports["adjustments"](account.settings)
    amount = Money(minor, payment.amount.currency)
    payment, wish = adjusting.request(payment, amount, at=_AT)
    said = account.run(port.update_payment(payment, amount, key=key))
    payment, _ = collecting.apply(adjusting.answered(payment, wish, said), said)
    return heard(account, payment)


def heard(account: Account, payment: Payment) -> Payment:
    for event in account.reported():
        payment, _ = collecting.apply(payment, event.payment, event.movements)
    return payment


def test_more_is_authorised(account: Account) -> None:
    """And can be collected, in one piece."""
    payment = raised(account, held(account), 2999)
    said = account.run(account.port.capture_payment(payment, Money(2999, "EUR"), key="x"))
    payment = heard(account, collecting.apply(payment, said)[0])

    assert (WishState.DONE, 2999) == (payment.amount_updates[0].state, payment.ceiling.minor)
    assert (PaymentState.CAPTURED, 2999) == (payment.state, payment.captured.minor)
    assert 1 == account.effects("update_payment", payment.payment_id)


def test_it_can_be_raised_again(account: Account) -> None:
    """Each with a key of its own; the amount is all that may be collected."""
    payment = raised(account, held(account), 2999)
    payment = raised(account, payment, 3999, key="u-2")

    assert [WishState.DONE] * 2 == [one.state for one in payment.amount_updates]
    assert 3999 == payment.ceiling.minor
    assert 2 == account.effects("update_payment", payment.payment_id)


def test_same_key_raises_once(account: Account) -> None:
    """However often it is repeated."""
    payment, _ = adjusting.request(held(account), Money(2999, "EUR"), at=_AT)
    port = account.subject.adapter.ports["adjustments"](account.settings)
    for _ in range(3):
        account.run(port.update_payment(payment, Money(2999, "EUR"), key="same"))

    assert 1 == account.effects("update_payment", payment.payment_id)


def test_lost_answer_is_found_by_the_amount(account: Account) -> None:
    """Or, where the provider cannot be asked, by the same request with the same key."""
    payment, wish = adjusting.request(held(account), Money(2999, "EUR"), at=_AT)
    port = account.subject.adapter.ports["adjustments"](account.settings)
    with account.losing_answers():
        lost = outcome(account, port.update_payment(payment, wish.amount, key="u"))
    assert isinstance(lost, HeadraceError)

    if account.subject.repeats:
        said = account.run(port.update_payment(payment, wish.amount, key="u"))
    else:
        said = account.run(account.port.find_payment(payment))
        assert said is not None
        assert 2999 == said.amount.minor
    payment, _ = collecting.apply(adjusting.answered(payment, wish, said), said)

    assert 2999 == heard(account, payment).ceiling.minor
    assert 1 == account.effects("update_payment", payment.payment_id)


def test_request_that_never_arrived_raised_nothing(account: Account) -> None:
    """And the look-up does not claim that it did."""
    payment, wish = adjusting.request(held(account), Money(2999, "EUR"), at=_AT)
    port = account.subject.adapter.ports["adjustments"](account.settings)
    with account.unreachable():
        away = outcome(account, port.update_payment(payment, wish.amount, key="u"))
    found = account.run(account.port.find_payment(payment))

    assert isinstance(away, Unavailable)
    assert found is None or found.amount == payment.amount
    assert 0 == account.effects("update_payment", payment.payment_id)


def test_payment_without_reference_is_not_raised(account: Account) -> None:
    """Nothing is sent."""
    payment = msgspec.structs.replace(held(account), provider_ref="")
    port = account.subject.adapter.ports["adjustments"](account.settings)
    sent = len(account.sent)

    with pytest.raises(Rejected) as refused:
        account.run(port.update_payment(payment, Money(2999, "EUR"), key="u"))

    assert "provider_ref_missing" == refused.value.code
    assert sent == len(account.sent)


def test_what_was_not_announced_is_not_raised(account: Account) -> None:
    """At once or by a report: what was held before is held still."""
    token = account.subject.tokens["accepted"]
    payment = samples.payment(2, token=token, manual=True, method=account.subject.method)
    attempt = PaymentAttempt(attempt_id="a", key="c2", state=AttemptState.PREPARED)
    payment = msgspec.structs.replace(payment, attempts=(attempt,))
    payment, _ = collecting.apply(
        payment, account.run(account.port.create_payment(payment, key="c2"))
    )
    port = account.subject.adapter.ports["adjustments"](account.settings)
    payment, wish = adjusting.request(payment, Money(2999, "EUR"), at=_AT)
    said = outcome(account, port.update_payment(payment, wish.amount, key="u"))
    if not isinstance(said, HeadraceError):
        payment, _ = collecting.apply(adjusting.answered(payment, wish, said), said)
        payment = heard(account, payment)
        assert WishState.FAILED is payment.amount_updates[0].state

    assert (PaymentState.AUTHORISED, 1999) == (payment.state, payment.ceiling.minor)
    assert 0 == account.effects("update_payment", payment.payment_id)
