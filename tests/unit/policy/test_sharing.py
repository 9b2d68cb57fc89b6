"""Sharing: parts come to what was collected and has stayed, whatever was moved before."""

import random
from collections.abc import Sequence

import msgspec

from gateway.model.money import Money
from gateway.model.payment import CaptureMethod, Payment, PaymentFailure
from gateway.model.split import PLATFORM, Split, SplitKind, SplitMode
from gateway.model.transfer import (
    MemberTransfer,
    ProviderReversal,
    ProviderTransfer,
    TransferState,
)
from gateway.policy import sharing, transferring

_AT = "2026-01-01T00:00:00+00:00"
_S = TransferState


def _eur(minor: int) -> Money:
    return Money(minor, "EUR")


def _payment(captured: int = 0, refunded: int = 0, returned: int = 0) -> Payment:
    return Payment(
        payment_id="pay-1",
        amount=_eur(1_000),
        method_code="card",
        capture_method=CaptureMethod.MANUAL,
        requested_at=_AT,
        provider="stripe",
        provider_ref="pi_1",
        captured=_eur(captured),
        refunded=_eur(refunded),
        returned=_eur(returned),
        disputed=_eur(0),
        split_mode=SplitMode.AFTER_PAYMENT,
        splits=(
            Split(party="acct_1", amount=_eur(333), reference="A"),
            Split(party="acct_2", amount=_eur(567)),
            Split(party=PLATFORM, kind=SplitKind.REMAINDER),
        ),
    )


def _arrived(one: MemberTransfer, state: TransferState = _S.DONE) -> MemberTransfer:
    said = ProviderTransfer(
        provider_ref=f"tr_{one.transfer_id}", state=state, amount=one.amount, reversed=_eur(0)
    )
    return transferring.apply(one, said)[0]


def _held(known: Sequence[MemberTransfer]) -> dict[str, int]:
    held: dict[str, int] = {}
    for one in known:
        if one.state is not _S.FAILED:
            at = one.destination
            held[at] = held.get(at, 0) + transferring.left(one).minor
    return held


def _all_done(known: Sequence[MemberTransfer], moves: sharing.Moves) -> list[MemberTransfer]:
    """The transfers after everything that was begun has arrived."""
    by_id = {one.transfer_id: one for one in known}
    for one, reversal in moves.reversed:
        said = ProviderReversal(
            provider_ref=reversal.reversal_id, state=_S.DONE, amount=reversal.amount
        )
        by_id[one.transfer_id] = transferring.reversed_by(one, reversal, said)[0]
    return [*by_id.values(), *(_arrived(one) for one in moves.made)]


def test_whole_capture_makes_one_transfer_for_each_member() -> None:
    """With ids of the payment and the part, out of the payment's own money; ours stays."""
    moves = sharing.moves(_payment(1_000), (), at=_AT)

    assert [
        ("pay-1-part-1-1", "acct_1", 333, "A"),
        ("pay-1-part-2-1", "acct_2", 567, ""),
    ] == [(one.transfer_id, one.destination, one.amount.minor, one.text) for one in moves.made]
    assert {("pay-1", "pi_1", "stripe")} == {
        (one.group, one.payment_ref, one.provider) for one in moves.made
    }
    assert ("pay-1-part-1-1", "pay-1-part-2-1") == moves.awaited


def test_planning_again_moves_nothing() -> None:
    """Neither while they are under way, nor when they have arrived."""
    made = sharing.moves(_payment(1_000), (), at=_AT).made
    again = sharing.moves(_payment(1_000), made, at=_AT)
    later = sharing.moves(_payment(1_000), [_arrived(one) for one in made], at=_AT)

    assert ((), ()) == (again.made, again.reversed)
    assert ("pay-1-part-1-1", "pay-1-part-2-1") == again.awaited
    assert sharing.Moves() == later


def test_refund_takes_back_in_proportion() -> None:
    """Odd cents are the remainder's; what is under way is awaited first."""
    made = sharing.moves(_payment(1_000), (), at=_AT).made
    early = sharing.moves(_payment(1_000, 500), made, at=_AT)
    done = [_arrived(one) for one in made]
    moves = sharing.moves(_payment(1_000, 500), done, at=_AT)

    assert ((), ()) == (early.made, early.reversed)
    assert [167, 284] == [one.amount.minor for _, one in moves.reversed]
    assert {"acct_1": 166, "acct_2": 283} == _held(_all_done(done, moves))


def test_refused_transfer_is_made_anew_under_another_id() -> None:
    """And what was refused counts for nothing."""
    first, second = sharing.moves(_payment(1_000), (), at=_AT).made
    refused = transferring.refused(first, PaymentFailure(code="refused"))[0]

    known = [refused, _arrived(second)]
    moves = sharing.moves(_payment(1_000), known, at=_AT)

    assert ["pay-1-part-1-2"] == [one.transfer_id for one in moves.made]
    assert sharing.failed(known, (first.transfer_id,))
    assert not sharing.failed(known, (second.transfer_id,))


def test_what_somebody_took_back_is_not_given_again() -> None:
    """And of what the payment takes back no more than there is."""
    first, second = (_arrived(one) for one in sharing.moves(_payment(1_000), (), at=_AT).made)
    wished, reversal = transferring.reverse(first, _eur(300), at=_AT)
    said = ProviderReversal(provider_ref="r", state=_S.DONE, amount=reversal.amount)
    known = [transferring.reversed_by(wished, reversal, said)[0], second]

    again = sharing.moves(_payment(1_000), known, at=_AT)
    moves = sharing.moves(_payment(1_000, 1_000), known, at=_AT)
    left = _all_done(known, moves)

    assert sharing.Moves() == again
    assert [33, 567] == [one.amount.minor for _, one in moves.reversed]
    assert sharing.Moves() == sharing.moves(_payment(1_000, 1_000), left, at=_AT)


def test_only_changed_money_is_due() -> None:
    """And only where transfers follow."""
    before, now = _payment(1_000), _payment(1_000, 300)
    at_payment = msgspec.structs.replace(now, split_mode=SplitMode.AT_PAYMENT)

    assert sharing.is_due(before, now)
    assert sharing.is_due(None, before)
    assert not sharing.is_due(before, before)
    assert not sharing.is_due(None, _payment())
    assert not sharing.is_due(before, at_payment)


def test_members_end_with_their_shares_whatever_came_before() -> None:
    """Captures in pieces, refunds, returns taken back: the last word of the money decides."""
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    dice = random.Random(seed)
    for _ in range(200):
        known = list[MemberTransfer]()
        captured = refunded = returned = 0
        for _ in range(dice.randrange(1, 8)):
            captured = dice.randrange(captured, 1_001)
            refunded = dice.randrange(0, captured + 1)
            returned = dice.randrange(0, captured - refunded + 1)
            payment = _payment(captured, refunded, returned)
            known = _all_done(known, sharing.moves(payment, known, at=_AT))
            there = captured - refunded - returned
            expected = {
                part.party: share
                for part, share in sharing.shares(payment)
                if part.party != PLATFORM
            }
            held = _held(known)
            assert sum(held.values()) <= there
            assert {at: minor for at, minor in expected.items() if minor} == {
                at: minor for at, minor in held.items() if minor
            }
