"""The port ``crm``: one account, one opportunity, and a look-up for whatever was lost."""

from collections.abc import Callable
from typing import Any

import httpx
import msgspec
import pytest

from gateway.errors import InDoubt, Unavailable
from gateway.model.money import Money
from gateway.model.order import OrderState
from gateway.model.reference import EntityKind, ExternalReference
from gateway.ports.exchange import Exchange
from tests.conformance import refusals, samples
from tests.conformance.subject import Account, Subject, fulfilling, outcome


@pytest.fixture(params=fulfilling("crm"), ids=lambda one: one.adapter.product)
def subject(request: pytest.FixtureRequest) -> Subject:
    found: Subject = request.param
    return found


@pytest.fixture
def account(subject: Subject) -> Account:
    return subject.account("crm")


def account_of(account: Account, number: int = 1) -> str:
    """The CRM's account of our party, made if need be."""
    made = account.run(account.port.upsert_account(samples.party(number), key="account"))
    assert isinstance(made, ExternalReference)
    return made.external_id


def test_account_is_made_once_and_found(account: Account) -> None:
    """The second time it is updated, and the look-up says the same id."""
    party = samples.party()

    first, second = (account.run(account.port.upsert_account(party, key="k")) for _ in range(2))
    found = account.run(account.port.find_account(party.party_id))

    assert (True, False) == (first.created, second.created)
    assert 1 == len({one.external_id for one in (first, second, found)})
    assert (EntityKind.ACCOUNT, party.party_id) == (found.entity, found.entity_id)
    assert 1 == account.effects("upsert_account", party.party_id)


@pytest.mark.parametrize("price", samples.AMOUNTS, ids=lambda price: price.currency)
def test_opportunity_is_made_once_and_found(account: Account, price: Money) -> None:
    """In each currency, and through all states of its order it stays the same one."""
    order = samples.order(price=price)
    theirs = account_of(account)

    made = [
        account.run(
            account.port.upsert_opportunity(
                msgspec.structs.replace(order, state=state), theirs, key="k"
            )
        )
        for state in OrderState
    ]
    found = account.run(account.port.find_opportunity(order.order_id))

    assert [True, *[False] * (len(OrderState) - 1)] == [one.created for one in made]
    assert {found.external_id} == {one.external_id for one in made}
    assert (EntityKind.OPPORTUNITY, order.order_id) == (found.entity, found.entity_id)
    assert 1 == account.effects("upsert_opportunity", order.order_id)


@pytest.mark.parametrize("names", samples.NAMES, ids=lambda names: names[0])
def test_names_of_the_world_are_taken(account: Account, names: tuple[str, ...]) -> None:
    """Umlauts, quotes, other scripts, markup and long names."""
    party = samples.party(names=names)

    made = account.run(account.port.upsert_account(party, key="k"))

    assert made.external_id == account.run(account.port.find_account(party.party_id)).external_id


def test_lost_answers_are_found(account: Account) -> None:
    """By our own ids; nothing is made twice."""
    order = samples.order()
    with account.losing_answers():
        lost = outcome(account, account.port.upsert_account(order.party, key="k"))
    assert isinstance(lost, InDoubt)
    theirs = account.run(account.port.find_account(order.party.party_id)).external_id
    with account.losing_answers():
        lost = outcome(account, account.port.upsert_opportunity(order, theirs, key="k"))
    assert isinstance(lost, InDoubt)

    assert account.run(account.port.find_opportunity(order.order_id)) is not None
    assert 1 == account.effects("upsert_account", order.party.party_id)
    assert 1 == account.effects("upsert_opportunity", order.order_id)


def test_what_never_arrived_is_not_found_and_can_be_repeated(account: Account) -> None:
    """None is an answer; the same key makes it happen afterwards."""
    party = samples.party()
    with account.unreachable():
        lost = outcome(account, account.port.upsert_account(party, key="k"))
    assert isinstance(lost, Unavailable)
    assert account.run(account.port.find_account(party.party_id)) is None

    account.run(account.port.upsert_account(party, key="k"))

    assert 1 == account.effects("upsert_account", party.party_id)


def test_another_one_is_not_found(account: Account) -> None:
    """Neither a party nor an order that was never sent."""
    account_of(account, 1)

    assert account.run(account.port.find_account("C-000002")) is None
    assert account.run(account.port.find_opportunity(samples.order(2).order_id)) is None


def test_two_accounts_in_one_process_share_nothing(subject: Subject) -> None:
    """What one has the other does not find, although the ids are the same."""
    one, other = subject.account("crm", 1), subject.account("crm", 2)

    account_of(one)

    assert other.run(other.port.find_account(samples.party().party_id)) is None
    assert (1, 0) == (one.total("upsert_account"), other.total("upsert_account"))


# --- refusals and rubbish --------------------------------------------------------------------

Verb = Callable[[Account], Exchange[Any]]
_WRITES: dict[str, Verb] = {
    "upsert_account": lambda a: a.port.upsert_account(samples.party(9), key="w"),
    "upsert_opportunity": lambda a: a.port.upsert_opportunity(
        samples.order(9), account_of(a), key="w"
    ),
}
_READS: dict[str, Verb] = {
    "find_account": lambda a: a.port.find_account("C-000001"),
    "find_opportunity": lambda a: a.port.find_opportunity(samples.order(1).order_id),
}


@pytest.mark.parametrize("status", refusals.WRITES)
@pytest.mark.parametrize("verb", _WRITES)
def test_refused_write_is_one_of_the_errors(account: Account, verb: str, status: int) -> None:
    """The right one: doubt only where it may have happened."""
    exchange = _WRITES[verb](account)
    with account.refusing(status, reads=False):
        found = outcome(account, exchange)

    assert isinstance(found, refusals.WRITES[status]), found


@pytest.mark.parametrize("status", refusals.READS)
@pytest.mark.parametrize("verb", _READS)
def test_refused_read_leaves_no_doubt(account: Account, verb: str, status: int) -> None:
    """Whatever it meets, it can be asked again; only what is missing is None."""
    account_of(account)
    with account.refusing(status, reads=True):
        found = outcome(account, _READS[verb](account))

    if found is None:
        assert 404 == status
    else:
        assert isinstance(found, refusals.READS[status]), found


@pytest.mark.parametrize(
    "spoilt",
    [
        None,
        httpx.Response(200, json={}),
        httpx.Response(201, json={"id": "x", "success": False}),
        httpx.Response(201, content=b"\xff\xfe"),
    ],
    ids=["page", "object", "failure", "bytes"],
)
@pytest.mark.parametrize("verb", _WRITES)
def test_rubbish_after_a_write_is_doubt(
    account: Account, verb: str, spoilt: httpx.Response | None
) -> None:
    """It may have happened, so it is neither a failure nor a success."""
    exchange = _WRITES[verb](account)
    with account.spoiling(spoilt):
        found = outcome(account, exchange)

    assert isinstance(found, InDoubt), found


def test_requests_are_few_and_carry_no_secret(account: Account) -> None:
    """Addresses end up in logs of others: ids only, no secret and nobody's name."""
    for verb in (*_WRITES.values(), *_READS.values()):
        exchange = verb(account)
        before = len(account.sent)
        outcome(account, exchange)
        assert account.subject.requests >= len(account.sent) - before

    addresses = " ".join(str(request.url) for request in account.sent)
    hidden = (*account.subject.secrets(account.settings), *samples.SHOWN_NOWHERE)
    assert [] == [one for one in hidden if one in addresses]
