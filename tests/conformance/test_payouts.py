"""The port ``payouts``: money leaves once, and whoever asks is told what became of it."""

from collections.abc import Callable
from typing import Any

import httpx
import msgspec
import pytest

from gateway.errors import InDoubt, Rejected, Unavailable
from gateway.kit.sepa.identifiers import REFERENCE_LENGTH
from gateway.model.money import Money
from gateway.model.payout import (
    Destination,
    DestinationKind,
    Payout,
    PayoutState,
    ProviderPayout,
)
from gateway.ports.exchange import Exchange
from tests.conformance import refusals
from tests.conformance.subject import Account, asked, fulfilling, outcome

_S = PayoutState
_UNDER_WAY = {_S.SENT, _S.PAID}
_PRICE = Money(12_000, "EUR")
_SAMPLES = {
    DestinationKind.ACCOUNT: Destination(account="acct_1A2b3C"),
    DestinationKind.EMAIL: Destination(email="ada@example.com"),
    DestinationKind.IBAN: Destination(iban="DE89370400440532013000", name="Ada Lovelace"),
}


@pytest.fixture(params=asked("payouts"), ids=lambda one: one.adapter.product)
def account(request: pytest.FixtureRequest) -> Account:
    found: Account = request.param.account("payouts")
    return found


def payout(account: Account, number: int = 1, amount: Money = _PRICE, **fields: Any) -> Payout:
    """A payout to the first kind of destination that the system has."""
    kind = min(account.port.destinations)
    values = {"destination": _SAMPLES[kind], **fields}
    return Payout(
        payout_id=f"01950000-0000-7000-9100-{number:012}",
        amount=amount,
        text="Sales of October",
        provider="provider",
        requested_by="shop",
        requested_at="2026-03-02T09:00:00+00:00",
        **values,
    )


def created(account: Account, one: Payout) -> Payout:
    """The payout with the provider's reference."""
    made = account.run(account.port.create_payout(one, key="create"))
    return msgspec.structs.replace(one, provider_ref=made.provider_ref)


@pytest.mark.parametrize("amount", [_PRICE, Money(500, "JPY")], ids=lambda one: one.currency)
def test_amount_leaves_and_arrives(account: Account, amount: Money) -> None:
    """With the answer, with the look-up, and at last."""
    one = payout(account, amount=amount)
    made = account.run(account.port.create_payout(one, key="k"))
    account.now += 3_600

    found = account.run(
        account.port.find_payout(msgspec.structs.replace(one, provider_ref=made.provider_ref))
    )

    assert made.state in _UNDER_WAY
    assert (_S.PAID, amount, amount) == (found.state, made.amount, found.amount)
    assert 1 == account.effects("create_payout", one.payout_id)


def test_every_destination_that_is_named_is_reached(account: Account) -> None:
    """And every other one is refused before anything is sent."""
    for number, (kind, where) in enumerate(_SAMPLES.items()):
        before = len(account.sent)
        found = outcome(
            account,
            account.port.create_payout(payout(account, number, destination=where), key=kind.value),
        )
        if kind in account.port.destinations:
            assert isinstance(found, ProviderPayout), found
        else:
            assert isinstance(found, Rejected)
            assert ("destination_unsupported", before) == (found.code, len(account.sent))


def test_same_key_twice_sends_money_once(account: Account) -> None:
    """The second answer is about the same payout."""
    one = payout(account)

    made = [account.run(account.port.create_payout(one, key="k")) for _ in range(2)]

    assert made[0] == made[1]
    assert 1 == account.effects("create_payout", one.payout_id)


def test_lost_answer_is_found(account: Account) -> None:
    """By our own id: theirs never arrived."""
    one = payout(account)
    account.run(account.port.create_payout(payout(account, 2), key="other"))
    with account.losing_answers():
        lost = outcome(account, account.port.create_payout(one, key="k"))

    found = account.run(account.port.find_payout(one))

    assert isinstance(lost, InDoubt)
    assert found.state in _UNDER_WAY
    assert (one.amount, 1) == (found.amount, account.effects("create_payout", one.payout_id))


def test_what_never_arrived_can_be_repeated(account: Account) -> None:
    """None is an answer; the same key makes it happen afterwards, or the look-up itself."""
    one = payout(account)
    with account.unreachable():
        assert isinstance(outcome(account, account.port.create_payout(one, key="k")), Unavailable)
    found = account.run(account.port.find_payout(one))
    assert (found is not None) == account.subject.repeats

    account.run(account.port.create_payout(one, key="k"))

    assert 1 == account.effects("create_payout", one.payout_id)


def test_foreign_reference_is_not_found(account: Account) -> None:
    """Another account's payout is nobody's here."""
    unknown = msgspec.structs.replace(payout(account), provider_ref="po_nowhere")

    assert account.run(account.port.find_payout(unknown)) is None


def test_what_has_arrived_is_not_taken_back(account: Account) -> None:
    """The provider refuses, and it stays paid."""
    one = created(account, payout(account))
    account.now += 3_600

    refused = outcome(account, account.port.cancel_payout(one, key="cancel"))

    assert isinstance(refused, Rejected)
    assert _S.PAID is account.run(account.port.find_payout(one)).state


def test_two_accounts_in_one_process_share_nothing(account: Account) -> None:
    """What one has the other does not find, although the ids are the same."""
    other = account.subject.account("payouts", 2)
    one = created(account, payout(account))

    assert other.run(other.port.find_payout(one)) is None


# --- refusals and rubbish --------------------------------------------------------------------

Verb = Callable[[Account, Payout], Exchange[Any]]
_CREATE: Verb = lambda a, p: a.port.create_payout(  # noqa: E731 - a row of a table
    msgspec.structs.replace(p, provider_ref=""), key="w"
)


@pytest.mark.parametrize("status", refusals.WRITES)
def test_refused_write_is_one_of_the_errors(account: Account, status: int) -> None:
    """The right one: doubt only where it may have happened."""
    with account.refusing(status, reads=False):
        found = outcome(account, _CREATE(account, payout(account)))

    assert isinstance(found, refusals.WRITES[status]), found


@pytest.mark.parametrize("status", refusals.READS)
def test_refused_read_leaves_no_doubt(account: Account, status: int) -> None:
    """Whatever it meets, it can be asked again; only what is missing is None."""
    one = created(account, payout(account))
    with account.refusing(status, reads=True):
        found = outcome(account, account.port.find_payout(one))

    assert isinstance(found, refusals.READS[status]) if found else status == 404, found


@pytest.mark.parametrize(
    "spoilt",
    [
        None,
        httpx.Response(200, json={}),
        httpx.Response(200, json=[]),
        httpx.Response(200, content=b""),
        httpx.Response(200, content=b"[" * 100_000),
    ],
    ids=["page", "object", "list", "nothing", "deep"],
)
def test_rubbish_after_a_write_is_doubt(account: Account, spoilt: httpx.Response | None) -> None:
    """It may have happened, so it is neither a failure nor a success."""
    with account.spoiling(spoilt):
        found = outcome(account, _CREATE(account, payout(account)))

    assert isinstance(found, InDoubt), found


def test_answer_about_another_payout_is_doubt(account: Account) -> None:
    """A cache in between, or a mix-up of theirs: never taken for ours."""
    account.run(account.port.create_payout(payout(account, 2), key="other"))
    write = next(one for one in account.sent if one.method == "POST")
    theirs = account.simulator.handle(write, now=account.now)
    with account.spoiling(theirs):
        found = outcome(account, _CREATE(account, payout(account, 1)))

    assert isinstance(found, InDoubt), found


def test_addresses_carry_neither_secrets_nor_names(account: Account) -> None:
    """Addresses end up in logs of others: ids only."""
    one = created(account, payout(account))
    for exchange in (account.port.find_payout(one), account.port.cancel_payout(one, key="c")):
        outcome(account, exchange)

    addresses = " ".join(str(request.url) for request in account.sent)
    where = one.destination
    hidden = (*account.subject.secrets(account.settings), where.email, where.iban, where.name)
    assert [] == [text for text in hidden if text and text in addresses]


# --- systems that are told in files: nothing is sent, so a promise is all ---------------------


@pytest.fixture(
    params=[one for one in fulfilling("payouts") if one.silent],
    ids=lambda one: one.adapter.product,
)
def silent(request: pytest.FixtureRequest) -> Account:
    found: Account = request.param.account("payouts")
    return found


def test_promise_is_the_same_whoever_asks_how_often(silent: Account) -> None:
    """PENDING under a reference made of our id, which fits into every file, and found by it."""
    one = payout(silent)
    made = [silent.run(silent.port.create_payout(one, key="k")) for _ in range(2)]
    other = silent.run(silent.port.create_payout(payout(silent, 2), key="k"))
    known = msgspec.structs.replace(one, provider_ref=made[0].provider_ref)

    assert made[0] == made[1]
    assert (_S.PENDING, one.amount) == (made[0].state, made[0].amount)
    assert made[0].provider_ref != other.provider_ref
    assert len(made[0].provider_ref) <= REFERENCE_LENGTH
    assert made[0] == silent.run(silent.port.find_payout(known))


def test_only_a_promise_is_found(silent: Account) -> None:
    """What nobody promised, or under another reference, is nobody's."""
    unknown = msgspec.structs.replace(payout(silent), provider_ref="elsewhere")

    assert silent.run(silent.port.find_payout(payout(silent))) is None
    assert silent.run(silent.port.find_payout(unknown)) is None


def test_promise_is_taken_back_until_it_stands_in_a_file(silent: Account) -> None:
    """Then only the other side can stop it."""
    one = created(silent, payout(silent))
    written = msgspec.structs.replace(one, submitted_at="2026-03-02T09:00:00+00:00")

    given_up = silent.run(silent.port.cancel_payout(one, key="c"))
    refused = outcome(silent, silent.port.cancel_payout(written, key="c"))

    assert _S.CANCELLED is given_up.state
    assert isinstance(refused, Rejected)
    assert "already_submitted" == refused.code


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"destination": _SAMPLES[DestinationKind.EMAIL]}, "destination_unsupported"),
        ({"destination": _SAMPLES[DestinationKind.ACCOUNT]}, "destination_unsupported"),
        ({"amount": Money(500, "JPY")}, "amount_currency"),
        ({"amount": Money(0, "EUR")}, "amount_range"),
        ({"destination": Destination(iban="DE00370400440532013000")}, "iban_checksum"),
    ],
)
def test_what_no_file_can_take_is_not_promised(
    silent: Account, fields: dict[str, Any], code: str
) -> None:
    """By its rule, without the value that breaks it."""
    found = outcome(silent, silent.port.create_payout(payout(silent, **fields), key="k"))

    assert isinstance(found, Rejected)
    assert code == found.code
    assert "DE00" not in found.message
