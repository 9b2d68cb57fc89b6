"""The port ``risk``: a decision with its reasons, the same for the same order."""

import pytest

from gateway.model.money import Money
from gateway.model.risk import RiskState
from tests.conformance import samples
from tests.conformance.subject import Account, Subject, fulfilling


@pytest.fixture(params=fulfilling("risk"), ids=lambda one: one.adapter.product)
def subject(request: pytest.FixtureRequest) -> Subject:
    found: Subject = request.param
    return found


@pytest.fixture
def account(subject: Subject) -> Account:
    return subject.account("risk")


@pytest.mark.parametrize("price", samples.AMOUNTS, ids=lambda price: price.currency)
def test_every_order_is_decided(account: Account, price: Money) -> None:
    """In each currency: a decision, why, and with which methods it may be paid."""
    order = samples.order(price=price)

    made = account.run(account.port.assess(order, key="k"))

    assert made.decision in RiskState
    assert (order.order_id, order.party.party_id) == (made.order_id, made.party_id)
    assert [] != [reason for reason in made.reasons if reason.code and reason.text]
    assert made.strategy_version
    assert bool(made.methods_allowed) == (made.decision is not RiskState.REJECTED)


@pytest.mark.parametrize("names", samples.NAMES, ids=lambda names: names[0])
def test_name_decides_nothing_and_is_kept_nowhere(account: Account, names: tuple[str, ...]) -> None:
    """Another name, the same decision; the assessment is about ids."""
    order = samples.order(party=samples.party(names=names))

    made = account.run(account.port.assess(order, key="k"))

    assert account.run(account.port.assess(samples.order(), key="k")).decision == made.decision
    assert [] == [one for one in (*names, *samples.SHOWN_NOWHERE) if one in repr(made)]


def test_same_key_is_the_same_assessment(account: Account) -> None:
    """Asking twice is one inquiry: a bureau would bill two and remember two."""
    order = samples.order()

    first, second = (account.run(account.port.assess(order, key="k")) for _ in range(2))
    other = account.run(account.port.assess(order, key="another"))

    assert first == second
    assert first.assessment_id != other.assessment_id


def test_inputs_are_told_apart(account: Account) -> None:
    """The hash of the input changes with the amount, so that a decision can be reproduced."""
    small, large = (
        account.run(account.port.assess(samples.order(price=Money(minor, "EUR")), key="k"))
        for minor in (100, 10_000_000_000)
    )

    assert small.inputs_hash != large.inputs_hash
    assert RiskState.ACCEPTED == small.decision
    assert RiskState.ACCEPTED != large.decision


def test_two_accounts_in_one_process_decide_alike(subject: Subject) -> None:
    """Neither remembers what the other was asked."""
    one, other = (subject.account("risk", number) for number in (1, 2))
    order = samples.order()

    assert one.run(one.port.assess(order, key="k")) == other.run(other.port.assess(order, key="k"))
