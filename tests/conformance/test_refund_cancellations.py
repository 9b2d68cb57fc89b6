"""The port ``refund_cancellations``: what has not gone is kept, once, and whoever asks is told."""

import msgspec
import pytest

from gateway.errors import HeadraceError, InDoubt, Rejected, Unavailable
from gateway.model.money import Money
from gateway.model.payment import (
    AttemptState,
    Payment,
    PaymentAttempt,
    PaymentState,
    ProviderRefund,
    Refund,
)
from gateway.policy import collecting, refunding
from gateway.ports.exchange import Exchange
from gateway.ports.refund_cancellations import RefundCancellations
from tests.conformance import samples
from tests.conformance.subject import Account, asked, outcome

_AT = "2026-03-02T09:00:00+00:00"


@pytest.fixture(params=asked("refund_cancellations"), ids=lambda one: one.adapter.product)
def account(request: pytest.FixtureRequest) -> Account:
    found: Account = request.param.account("payments")
    return found


def promised(account: Account) -> tuple[Payment, Refund]:
    """A collected payment of which 5.00 are on their way back."""
    token = account.subject.tokens["accepted"]
    payment = samples.payment(1, token=token, method=account.subject.method)
    attempt = PaymentAttempt(attempt_id="a", key="c", state=AttemptState.PREPARED)
    payment = msgspec.structs.replace(payment, attempts=(attempt,), **account.subject.kept)
    payment, _ = collecting.apply(
        payment, account.run(account.port.create_payment(payment, key="c"))
    )
    if payment.state is PaymentState.REQUIRES_ACTION:
        account.simulator.authenticate(payment.provider_ref, succeeds=True, now=account.now)  # type: ignore[attr-defined] # of those that ask the payer
    account.settle()
    payment, _ = collecting.apply(payment, account.run(account.port.find_payment(payment)))
    payment, refund = refunding.request(payment, Money(500, "EUR"), reason="", at=_AT)
    said = account.run(
        account.port.refund_payment(payment, refund.refund_id, refund.amount, key="r")
    )
    payment = refunding.answered(payment, refund, said)
    return payment, refunding.find(payment, refund.refund_id)


def cancel(account: Account, payment: Payment, refund: Refund) -> Exchange[ProviderRefund]:
    port: RefundCancellations = account.subject.adapter.ports["refund_cancellations"](
        account.settings
    )
    return port.cancel_refund(payment, refund, key="x")


def test_refund_that_has_not_gone_is_kept(account: Account) -> None:
    """And the look-up says so, or finds nothing any more."""
    payment, refund = promised(account)
    said = account.run(cancel(account, payment, refund))
    again = account.run(cancel(account, payment, refund))
    found = account.run(account.port.find_refund(payment, refund.refund_id))

    assert (PaymentState.FAILED, refund.provider_ref, refund.amount) == (
        said.state,
        said.provider_ref,
        said.amount,
    )
    assert said == again
    assert found is None or found.state is PaymentState.FAILED
    assert 0 == account.effects("refund_payment", refund.refund_id)


def test_refund_that_has_gone_is_not_kept(account: Account) -> None:
    """It is said, and the refund stands."""
    payment, refund = promised(account)
    account.now += 86_400

    with pytest.raises(Rejected):
        account.run(cancel(account, payment, refund))
    found = account.run(account.port.find_refund(payment, refund.refund_id))
    assert found is not None
    assert found.state is PaymentState.SETTLED


def test_lost_answer_is_found(account: Account) -> None:
    """By the refund itself."""
    payment, refund = promised(account)
    with account.losing_answers():
        lost = outcome(account, cancel(account, payment, refund))
    found = account.run(account.port.find_refund(payment, refund.refund_id))

    assert isinstance(lost, InDoubt)
    assert found is None or found.state is PaymentState.FAILED
    assert PaymentState.FAILED is account.run(cancel(account, payment, refund)).state


def test_request_that_never_arrived_changes_nothing(account: Account) -> None:
    """The refund goes on its way."""
    payment, refund = promised(account)
    with account.unreachable():
        assert isinstance(outcome(account, cancel(account, payment, refund)), Unavailable)
    found = account.run(account.port.find_refund(payment, refund.refund_id))

    assert found is not None
    assert found.state is PaymentState.PENDING


@pytest.mark.parametrize("status", [500, 401, 429])
def test_refused_write_is_one_of_the_errors(account: Account, status: int) -> None:
    """Never a refund that is said to be kept."""
    payment, refund = promised(account)
    with account.refusing(status, reads=False):
        assert isinstance(outcome(account, cancel(account, payment, refund)), HeadraceError)
