"""Transferring: what may be moved back, and what becomes of a transfer whatever the order."""

import itertools

from gateway.model.money import Money
from gateway.model.payment import PaymentFailure
from gateway.model.transfer import (
    TRANSFER_STATES,
    MemberTransfer,
    NewTransfer,
    ProviderReversal,
    ProviderTransfer,
    TransferState,
)
from gateway.policy import transferring

_S = TransferState
_PRICE = Money(8_000, "EUR")


def _transfer(state: TransferState = _S.DONE) -> MemberTransfer:
    new = NewTransfer(provider="stripe", amount=_PRICE, destination="M-1")
    made = transferring.of_request(
        new, source="platform", destination="acct_1", transfer_id="tr-1", at="2026-01-01"
    )
    return made if state is _S.PENDING else transferring.apply(made, _said(state))[0]


def _said(state: TransferState, back: int = 0) -> ProviderTransfer:
    return ProviderTransfer(
        provider_ref="ref", state=state, amount=_PRICE, reversed=Money(back, "EUR")
    )


def _back(amount: int, state: TransferState = _S.DONE) -> ProviderReversal:
    return ProviderReversal(provider_ref="back", state=state, amount=Money(amount, "EUR"))


def test_words_in_any_order_end_alike() -> None:
    """The furthest state and the largest sum count."""
    words = [_said(_S.SENT), _said(_S.DONE), _said(_S.DONE, 300), _said(_S.REVERSED, 8_000)]
    ends = set()
    for order in itertools.permutations(words):
        now = _transfer(_S.PENDING)
        for one in order:
            before, (now, _) = now.state, transferring.apply(now, one)
            assert now.state is before or TRANSFER_STATES.allows(before, now.state)
        ends.add((now.state, now.reversed.minor))

    assert {(_S.REVERSED, 8_000)} == ends


def test_what_is_on_its_way_back_is_not_left() -> None:
    """Two wishes at once cannot exceed the transfer; what was refused is free again."""
    one, first = transferring.reverse(_transfer(), Money(5_000, "EUR"), at="now")
    assert 3_000 == transferring.left(one).minor

    refused, events = transferring.not_reversed(one, first, PaymentFailure(code="refused"))

    assert 8_000 == transferring.left(refused).minor
    assert ["headrace.transfer.reversal_failed.v1"] == [one.type for one in events]


def test_parts_sum_up_to_the_end() -> None:
    """REVERSED when nothing is left, and each part is told."""
    now, told = _transfer(), list[str]()
    for amount in (5_000, 3_000):
        now, reversal = transferring.reverse(now, Money(amount, "EUR"), at="now")
        now, events = transferring.reversed_by(now, reversal, _back(amount))
        told += [one.type for one in events]

    assert (_S.REVERSED, _PRICE) == (now.state, now.reversed)
    assert ["headrace.transfer.reversed.v1"] * 2 == told
    assert not transferring.may_reverse(now)


def test_reversal_on_its_way_is_no_money_yet() -> None:
    """Until its provider says that it is done."""
    one, reversal = transferring.reverse(_transfer(), _PRICE, at="now")

    sent, events = transferring.reversed_by(one, reversal, _back(8_000, _S.SENT))

    assert (_S.DONE, 0, ()) == (sent.state, sent.reversed.minor, events)


def test_what_the_provider_counts_is_counted_once() -> None:
    """Its own sum and the answer to our wish are about the same money."""
    one, reversal = transferring.reverse(_transfer(), Money(5_000, "EUR"), at="now")
    told, _ = transferring.apply(one, _said(_S.DONE, 5_000))

    done, events = transferring.reversed_by(told, reversal, _back(5_000))

    assert (5_000, 3_000) == (done.reversed.minor, transferring.left(done).minor)
    assert () == events


def test_refusal_after_it_was_done_changes_nothing() -> None:
    """A refusal is about what was never done."""
    done = _transfer()

    assert (done, ()) == transferring.refused(done, PaymentFailure(code="refused"))
