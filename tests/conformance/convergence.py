"""Convergence: what a provider says in any order, some of it twice, ends in the same payment."""

import itertools
from collections.abc import Sequence

from gateway.model.event import ProviderEvent
from gateway.model.payment import Payment, ProviderPayment
from gateway.policy import collecting, disputing


def after(payment: Payment, said: Sequence[ProviderEvent | ProviderPayment]) -> Payment:
    """The payment after everything that was said, in this order."""
    for one in said:
        if isinstance(one, ProviderPayment):
            payment, _ = collecting.apply(payment, one)
        else:
            payment, _ = collecting.apply(payment, one.payment, one.movements)
            payment, _ = collecting.apply(disputing.heard(payment, one.claims))
    return payment


def assert_converges(payment: Payment, said: Sequence[ProviderEvent | ProviderPayment]) -> None:
    """All permutations, each word once more at the end or at the start, end as the given order."""
    expected = after(payment, said)
    for order in itertools.permutations(said):
        for again in order:
            assert expected == after(payment, (*order, again)) == after(payment, (again, *order))
