"""The port ``erp``: one business partner, one sales order, and a look-up for whatever was lost."""

from collections.abc import Callable
from typing import Any

import httpx
import msgspec
import pytest

from gateway.errors import InDoubt, Rejected, Unavailable
from gateway.model.money import Money
from gateway.model.order import Order
from gateway.model.reference import EntityKind, ExternalReference
from gateway.ports.exchange import Exchange
from tests.conformance import refusals, samples
from tests.conformance.subject import Account, Subject, fulfilling, outcome


@pytest.fixture(params=fulfilling("erp"), ids=lambda one: one.adapter.product)
def subject(request: pytest.FixtureRequest) -> Subject:
    found: Subject = request.param
    return found


@pytest.fixture
def account(subject: Subject) -> Account:
    return subject.account("erp")


def partner_of(account: Account, order: Order) -> str:
    """The business partner of the order, made if need be."""
    made = account.run(account.port.upsert_business_partner(order.party, key="partner"))
    assert isinstance(made, ExternalReference)
    return made.external_id


def create(account: Account, order: Order) -> Exchange[ExternalReference]:
    return account.port.create_sales_order(order, partner_of(account, order), key="order")  # type: ignore[no-any-return] # ports of any adapter


def test_business_partner_is_made_once_and_found(account: Account) -> None:
    """The second time it is the one that is there, and the look-up says the same number."""
    party = samples.party()

    first, second = (
        account.run(account.port.upsert_business_partner(party, key="k")) for _ in range(2)
    )
    found = account.run(account.port.find_business_partner(party.party_id))

    assert (True, False) == (first.created, second.created)
    assert 1 == len({one.external_id for one in (first, second, found)})
    assert (EntityKind.BUSINESS_PARTNER, party.party_id) == (found.entity, found.entity_id)
    assert 1 == account.effects("upsert_business_partner", party.party_id)


def test_sales_order_is_made_once_and_found(account: Account) -> None:
    """It carries our order id, so that a repetition finds the first one."""
    order = samples.order()

    first, second = (account.run(create(account, order)) for _ in range(2))
    found = account.run(account.port.find_sales_order(order.order_id))

    assert (True, False) == (first.created, second.created)
    assert 1 == len({one.external_id for one in (first, second, found)})
    assert (EntityKind.SALES_ORDER, order.order_id) == (found.entity, found.entity_id)
    assert 1 == account.effects("create_sales_order", order.order_id)


@pytest.mark.parametrize("names", samples.NAMES, ids=lambda names: names[0])
def test_names_of_the_world_are_taken(account: Account, names: tuple[str, ...]) -> None:
    """Umlauts, quotes, other scripts, markup and names that are too long for the field."""
    party = samples.party(names=names)

    made = account.run(account.port.upsert_business_partner(party, key="k"))

    assert made.external_id == (
        account.run(account.port.find_business_partner(party.party_id)).external_id
    )


@pytest.mark.parametrize("price", samples.AMOUNTS, ids=lambda price: price.currency)
def test_order_is_taken_in_each_currency(account: Account, price: Money) -> None:
    """Whatever decimals it has."""
    order = samples.order(price=price)

    account.run(create(account, order))

    assert 1 == account.effects("create_sales_order", order.order_id)


def test_lost_answers_are_found(account: Account) -> None:
    """By our own ids; nothing is made twice."""
    order = samples.order()
    with account.losing_answers():
        lost = outcome(account, account.port.upsert_business_partner(order.party, key="k"))
    assert isinstance(lost, InDoubt)
    partner = account.run(account.port.find_business_partner(order.party.party_id)).external_id
    with account.losing_answers():
        lost = outcome(account, account.port.create_sales_order(order, partner, key="k"))
    assert isinstance(lost, InDoubt)

    assert account.run(account.port.find_sales_order(order.order_id)) is not None
    assert 1 == account.effects("upsert_business_partner", order.party.party_id)
    assert 1 == account.effects("create_sales_order", order.order_id)


def test_what_never_arrived_is_not_found_and_can_be_repeated(account: Account) -> None:
    """None is an answer; the same key makes it happen afterwards."""
    order = samples.order()
    partner = partner_of(account, order)
    with account.unreachable():
        lost = outcome(account, account.port.create_sales_order(order, partner, key="k"))
    assert isinstance(lost, Unavailable)
    assert account.run(account.port.find_sales_order(order.order_id)) is None

    account.run(account.port.create_sales_order(order, partner, key="k"))

    assert 1 == account.effects("create_sales_order", order.order_id)


def test_another_one_is_not_found(account: Account) -> None:
    """A look-up never answers with a stranger's document."""
    account.run(create(account, samples.order(1)))

    assert account.run(account.port.find_sales_order(samples.order(2).order_id)) is None
    assert account.run(account.port.find_business_partner("C-000002")) is None


def test_sales_order_is_cancelled_once(account: Account) -> None:
    """All of its items, and the second time nothing is left to do."""
    order = samples.order()
    number = account.run(create(account, order)).external_id

    for _ in range(2):
        cancelled = account.run(account.port.cancel_sales_order(order.order_id, number, key="c"))
        assert number == cancelled.external_id

    assert 1 == account.effects("cancel_sales_order", order.order_id)


def test_lost_cancellation_can_be_repeated(account: Account) -> None:
    """What is rejected already stays so."""
    order = samples.order()
    number = account.run(create(account, order)).external_id
    with account.losing_answers():
        lost = outcome(account, account.port.cancel_sales_order(order.order_id, number, key="c"))
    assert isinstance(lost, InDoubt)

    account.run(account.port.cancel_sales_order(order.order_id, number, key="c"))

    assert 1 == account.effects("cancel_sales_order", order.order_id)


def test_sales_order_of_another_order_is_not_cancelled(account: Account) -> None:
    """A number that does not carry our order id is somebody else's."""
    number = account.run(create(account, samples.order(1))).external_id
    account.run(create(account, samples.order(2)))

    refused = outcome(
        account, account.port.cancel_sales_order(samples.order(2).order_id, number, key="c")
    )

    assert isinstance(refused, Rejected)
    assert 0 == account.total("cancel_sales_order")


def test_two_accounts_in_one_process_share_nothing(subject: Subject) -> None:
    """What one has the other does not find, although the ids are the same."""
    one, other = subject.account("erp", 1), subject.account("erp", 2)
    order = samples.order()

    one.run(create(one, order))

    assert other.run(other.port.find_sales_order(order.order_id)) is None
    assert other.run(other.port.find_business_partner(order.party.party_id)) is None
    assert (1, 0) == (one.total("create_sales_order"), other.total("create_sales_order"))


# --- refusals and rubbish --------------------------------------------------------------------

Verb = Callable[[Account], Exchange[Any]]
_WRITES: dict[str, Verb] = {
    "upsert_business_partner": lambda a: a.port.upsert_business_partner(samples.party(9), key="w"),
    "create_sales_order": lambda a: a.port.create_sales_order(samples.order(9), "1", key="w"),
    "cancel_sales_order": lambda a: a.port.cancel_sales_order(
        samples.order(1).order_id,
        a.run(a.port.find_sales_order(samples.order(1).order_id)).external_id,
        key="w",
    ),
}
_READS: dict[str, Verb] = {
    "find_business_partner": lambda a: a.port.find_business_partner("C-000001"),
    "find_sales_order": lambda a: a.port.find_sales_order(samples.order(1).order_id),
}


@pytest.fixture
def stocked(account: Account) -> Account:
    """The account with one order."""
    account.run(create(account, samples.order(1)))
    return account


@pytest.mark.parametrize("status", refusals.WRITES)
@pytest.mark.parametrize("verb", _WRITES)
def test_refused_write_is_one_of_the_errors(stocked: Account, verb: str, status: int) -> None:
    """The right one: doubt only where it may have happened."""
    exchange = _WRITES[verb](stocked)
    with stocked.refusing(status, reads=False):
        found = outcome(stocked, exchange)

    assert isinstance(found, refusals.WRITES[status]), found


@pytest.mark.parametrize("status", refusals.READS)
@pytest.mark.parametrize("verb", [*_WRITES, *_READS])
def test_refused_read_leaves_no_doubt(stocked: Account, verb: str, status: int) -> None:
    """Nor does the look-up that stands in front of a write."""
    exchange = (_WRITES | _READS)[verb](stocked)
    with stocked.refusing(status, reads=True):
        found = outcome(stocked, exchange)

    assert isinstance(found, refusals.READS[status]), found


@pytest.mark.parametrize(
    "spoilt",
    [None, httpx.Response(200, json={}), httpx.Response(201, content=b"\xff\xfe")],
    ids=["page", "object", "bytes"],
)
@pytest.mark.parametrize("verb", ["upsert_business_partner", "create_sales_order"])
def test_rubbish_after_a_write_is_doubt(
    stocked: Account, verb: str, spoilt: httpx.Response | None
) -> None:
    """It may have happened, so it is neither a failure nor a success."""
    with stocked.spoiling(spoilt):
        found = outcome(stocked, _WRITES[verb](stocked))

    assert isinstance(found, InDoubt), found


def test_pause_that_the_system_asks_for_is_passed_on(stocked: Account) -> None:
    """In seconds, so that whoever repeats it knows when."""
    with stocked.refusing(503, reads=True, retry_after_s=7):
        found = outcome(stocked, _READS["find_sales_order"](stocked))

    assert isinstance(found, Unavailable)
    assert 7 == found.retry_after_s


# --- what every request is -------------------------------------------------------------------


def test_requests_are_few_and_carry_no_secret(stocked: Account) -> None:
    """Addresses end up in logs of others: ids only, no password and nobody's name."""
    for verb in (*_WRITES.values(), *_READS.values()):
        exchange = verb(stocked)
        before = len(stocked.sent)
        outcome(stocked, exchange)
        assert stocked.subject.requests >= len(stocked.sent) - before

    addresses = " ".join(str(request.url) for request in stocked.sent)
    hidden = (*stocked.subject.secrets(stocked.settings), *samples.SHOWN_NOWHERE)
    assert [] == [one for one in hidden if one in addresses]


def test_requests_for_an_order_grow_with_its_items_at_most(account: Account) -> None:
    """Ten items are cancelled in a bounded number of requests, not in a loop without end."""
    item = samples.order().items[0]
    order = msgspec.structs.replace(samples.order(), items=(item,) * 10, total=item.unit_price * 20)
    number = account.run(create(account, order)).external_id
    before = len(account.sent)

    account.run(account.port.cancel_sales_order(order.order_id, number, key="c"))

    assert account.subject.requests * 10 >= len(account.sent) - before
