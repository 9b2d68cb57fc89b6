"""The port ``transfers``: money moves once, back once, and whoever asks is told."""

from collections.abc import Callable
from typing import Any

import httpx
import msgspec
import pytest

from gateway.errors import InDoubt, Rejected, Unavailable
from gateway.model.money import Money
from gateway.model.transfer import MemberTransfer, TransferState
from gateway.ports.exchange import Exchange
from tests.conformance import refusals
from tests.conformance.subject import Account, fulfilling, outcome

_S = TransferState
_MOVED = {_S.SENT, _S.DONE}
_PRICE, _PART = Money(8_000, "EUR"), Money(2_000, "EUR")
_BACK = "01950000-0000-7000-9200-000000000001-reversal-1"


@pytest.fixture(params=fulfilling("transfers"), ids=lambda one: one.adapter.product)
def account(request: pytest.FixtureRequest) -> Account:
    found: Account = request.param.account("transfers")
    return found


def transfer(number: int = 1, amount: Money = _PRICE, **fields: Any) -> MemberTransfer:
    values = {"destination": "acct_1A2b3C", **fields}
    return MemberTransfer(
        transfer_id=f"01950000-0000-7000-9200-{number:012}",
        amount=amount,
        text="Order 4711",
        group="ORDER-4711",
        provider="provider",
        requested_at="2026-03-02T09:00:00+00:00",
        reversed=Money(0, amount.currency),
        **values,
    )


def created(account: Account, one: MemberTransfer) -> MemberTransfer:
    """The transfer with the provider's reference, arrived."""
    made = account.run(account.port.create_transfer(one, key="create"))
    account.now += 3_600
    return msgspec.structs.replace(one, provider_ref=made.provider_ref)


def reverse(account: Account, one: MemberTransfer, amount: Money = _PART) -> Any:
    return account.run(account.port.reverse_transfer(one, _BACK, amount, key="back"))


@pytest.mark.parametrize("amount", [_PRICE, Money(500, "JPY")], ids=lambda one: one.currency)
def test_amount_moves(account: Account, amount: Money) -> None:
    """With the answer and with the look-up, and nothing of it is back."""
    one = transfer(amount=amount)
    made = account.run(account.port.create_transfer(one, key="k"))
    account.now += 3_600

    found = account.run(
        account.port.find_transfer(msgspec.structs.replace(one, provider_ref=made.provider_ref))
    )

    assert made.state in _MOVED
    assert (_S.DONE, amount, 0) == (found.state, found.amount, found.reversed.minor)
    assert 1 == account.effects("create_transfer", one.transfer_id)


def test_same_key_twice_moves_money_once(account: Account) -> None:
    """There and back."""
    one = transfer()
    for _ in range(2):
        made = account.run(account.port.create_transfer(one, key="k"))
    one = msgspec.structs.replace(one, provider_ref=made.provider_ref)
    account.now += 3_600
    for _ in range(2):
        reverse(account, one)

    assert 1 == account.effects("create_transfer", one.transfer_id)
    assert 1 == account.effects("reverse_transfer", _BACK)


def test_lost_answers_are_found(account: Account) -> None:
    """By our own ids, of the transfer and of its reversal, beside others."""
    account.run(account.port.create_transfer(transfer(2), key="other"))
    one = transfer()
    with account.losing_answers():
        lost = outcome(account, account.port.create_transfer(one, key="k"))
    found = account.run(account.port.find_transfer(one))
    one = msgspec.structs.replace(one, provider_ref=found.provider_ref)
    account.now += 3_600
    with account.losing_answers():
        back = outcome(account, account.port.reverse_transfer(one, _BACK, _PART, key="back"))

    assert isinstance(lost, InDoubt)
    assert isinstance(back, InDoubt)
    assert _PART == account.run(account.port.find_reversal(one, _BACK)).amount
    assert (1, 1) == (
        account.effects("create_transfer", one.transfer_id),
        account.effects("reverse_transfer", _BACK),
    )


def test_what_never_arrived_is_not_found_and_can_be_repeated(account: Account) -> None:
    """None is an answer; the same key makes it happen afterwards."""
    one = transfer()
    with account.unreachable():
        lost = outcome(account, account.port.create_transfer(one, key="k"))
    assert isinstance(lost, Unavailable)
    assert account.run(account.port.find_transfer(one)) is None
    assert account.run(account.port.find_reversal(one, _BACK)) is None

    one = created(account, one)

    assert account.run(account.port.find_reversal(one, _BACK)) is None
    assert 1 == account.effects("create_transfer", one.transfer_id)


def test_parts_are_moved_back_until_nothing_is_left(account: Account) -> None:
    """REVERSED only then, and more than is left is refused; where the provider counts them."""
    one = created(account, transfer())
    reverse(account, one)
    part = account.run(account.port.find_transfer(one))

    rest = Money(6_000, "EUR")
    if account.subject.reversals_apart:
        account.now += 3_600
        back = account.run(account.port.find_reversal(one, _BACK))
        assert (_S.DONE, _PART) == (back.state, back.amount)
        assert (_S.DONE, 0) == (part.state, part.reversed.minor)
        return
    more = outcome(account, account.port.reverse_transfer(one, "x-reversal-9", _PRICE, key="more"))
    account.run(account.port.reverse_transfer(one, "x-reversal-2", rest, key="rest"))
    whole = account.run(account.port.find_transfer(one))

    assert isinstance(more, Rejected)
    assert (_S.DONE, _PART) == (part.state, part.reversed)
    assert (_S.REVERSED, _PRICE) == (whole.state, whole.reversed)


def test_member_pays_only_where_it_can(account: Account) -> None:
    """Elsewhere it is refused before anything is sent."""
    found = outcome(account, account.port.create_transfer(transfer(source="acct_9"), key="k"))

    if account.port.between_members:
        assert found.state in _MOVED
    else:
        assert isinstance(found, Rejected)
        assert ("source_unsupported", []) == (found.code, account.sent)


# --- refusals and rubbish --------------------------------------------------------------------

Verb = Callable[[Account, MemberTransfer], Exchange[Any]]
_WRITES: dict[str, Verb] = {
    "create_transfer": lambda a, t: a.port.create_transfer(
        msgspec.structs.replace(t, provider_ref="", transfer_id="other"), key="w"
    ),
    "reverse_transfer": lambda a, t: a.port.reverse_transfer(t, _BACK, _PART, key="w"),
}
_READS: dict[str, Verb] = {
    "find_transfer": lambda a, t: a.port.find_transfer(t),
    "find_transfer by our id": lambda a, t: a.port.find_transfer(
        msgspec.structs.replace(t, provider_ref="")
    ),
    "find_reversal": lambda a, t: a.port.find_reversal(t, _BACK),
}


@pytest.mark.parametrize("status", refusals.WRITES)
@pytest.mark.parametrize("verb", _WRITES)
def test_refused_write_is_one_of_the_errors(account: Account, verb: str, status: int) -> None:
    """The right one: doubt only where it may have happened."""
    one = created(account, transfer())
    with account.refusing(status, reads=False):
        found = outcome(account, _WRITES[verb](account, one))

    assert isinstance(found, refusals.WRITES[status]), found


@pytest.mark.parametrize("status", refusals.READS)
@pytest.mark.parametrize("verb", _READS)
def test_refused_read_leaves_no_doubt(account: Account, verb: str, status: int) -> None:
    """Whatever it meets, it can be asked again; only what is missing is None."""
    one = created(account, transfer())
    with account.refusing(status, reads=True):
        found = outcome(account, _READS[verb](account, one))

    assert isinstance(found, refusals.READS[status]) if found else status == 404, found


@pytest.mark.parametrize(
    "spoilt",
    [None, httpx.Response(200, json={}), httpx.Response(200, content=b"")],
    ids=["page", "object", "nothing"],
)
@pytest.mark.parametrize("verb", _WRITES)
def test_rubbish_after_a_write_is_doubt(
    account: Account, verb: str, spoilt: httpx.Response | None
) -> None:
    """It may have happened, so it is neither a failure nor a success."""
    one = created(account, transfer())
    with account.spoiling(spoilt):
        found = outcome(account, _WRITES[verb](account, one))

    assert isinstance(found, InDoubt), found


def test_answer_about_another_transfer_is_doubt(account: Account) -> None:
    """A cache in between, or a mix-up of theirs: never taken for ours."""
    account.run(account.port.create_transfer(transfer(2), key="other"))
    write = next(one for one in account.sent if one.method == "POST")
    theirs = account.simulator.handle(write, now=account.now)
    with account.spoiling(theirs):
        found = outcome(account, account.port.create_transfer(transfer(1), key="w"))

    assert isinstance(found, InDoubt), found
