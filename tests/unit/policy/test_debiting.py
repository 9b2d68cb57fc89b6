"""The account that a payer names: what is shown, and how long it may be needed."""

from typing import Any

import msgspec
import pytest

from gateway.model.bank_account import BankAccount
from gateway.model.payment import AttemptState, PaymentAttempt, PaymentState
from gateway.policy import debiting
from tests.conformance import samples

_A = AttemptState


def _payment(**fields: Any) -> Any:
    account = samples.bank_account()
    return msgspec.structs.replace(samples.payment(token=""), bank_account=account, **fields)


def test_only_the_ends_are_shown() -> None:
    """Of what is shown again no more, and no text that Python makes of it has the rest."""
    once = debiting.shown(_payment())

    assert BankAccount(iban="DE**3000", holder="A***") == once.bank_account
    assert once == debiting.shown(once)
    assert "3704" not in repr(_payment())
    assert "Lovelace" not in repr(_payment())


def test_payment_without_an_account_stays_as_it_is() -> None:
    """For nearly all are."""
    payment = samples.payment(token="")

    assert payment is debiting.shown(payment)
    assert payment is debiting.paid_from(payment, None)


@pytest.mark.parametrize(
    ("states", "state", "needed"),
    [
        ((), PaymentState.CREATED, True),
        ((), PaymentState.FAILED, False),
        ((_A.PREPARED,), PaymentState.CREATED, True),
        ((_A.UNKNOWN,), PaymentState.CREATED, True),
        ((_A.NOT_EXECUTED, _A.PREPARED), PaymentState.CREATED, True),
        *(
            ((one,), PaymentState.CREATED, False)
            for one in _A
            if one not in {_A.PREPARED, _A.UNKNOWN}
        ),
    ],
)
def test_account_is_needed_until_somebody_has_it(
    states: tuple[AttemptState, ...],
    state: PaymentState,
    needed: bool,  # noqa: FBT001 - an expected value
) -> None:
    """What may have to be sent once more is kept; no other word of the provider needs it."""
    attempts = tuple(
        PaymentAttempt(attempt_id=f"a{number}", key="k", state=one, provider="p")
        for number, one in enumerate(states)
    )

    assert needed == debiting.is_needed(_payment(attempts=attempts, state=state))
