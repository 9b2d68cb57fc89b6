"""Splitting: parts add up to the cent, on the way there and on the way back."""

import random

import pytest

from gateway.errors import Rejected
from gateway.kit import splitting
from gateway.kit.splitting import Part
from gateway.model.money import Money
from gateway.model.payment import CaptureMethod, Payment, Refund, RefundState
from gateway.model.split import PLATFORM, Split, SplitKind

_SEED = 20261122


def _eur(minor: int) -> Money:
    return Money(minor, "EUR")


def _split(party: str, minor: int | None) -> Split:
    kind = SplitKind.PRINCIPAL if minor is not None else SplitKind.REMAINDER
    return Split(party=party, kind=kind, amount=None if minor is None else _eur(minor))


def _part(party: str, minor: int, kind: SplitKind = SplitKind.PRINCIPAL) -> Part:
    return Part(party=party, kind=kind, amount=_eur(minor))


def test_remainder_is_what_the_others_leave() -> None:
    """And the parts keep their order."""
    splits = (_split("org_1", 700), _split(PLATFORM, None), _split("org_2", 200))

    parts = splitting.resolve(splits, _eur(1000))

    assert [("org_1", 700), ("platform", 100), ("org_2", 200)] == [
        (one.party, one.amount.minor) for one in parts
    ]


@pytest.mark.parametrize(
    "minors", [(700,), (700, 301), (1000, None), (None, None), (1100, -100), (1000, 0)]
)
def test_parts_that_are_not_the_amount_are_refused(minors: tuple[int | None, ...]) -> None:
    """Nothing is sent of them."""
    splits = [_split("org_1", one) for one in minors]

    with pytest.raises(Rejected, match="splits") as caught:
        splitting.resolve(splits, _eur(1000))

    assert "split_sum" == caught.value.code


def test_another_currency_is_refused() -> None:
    """Even where the numbers add up."""
    with pytest.raises(Rejected):
        splitting.resolve([_split("org_1", 1000)], Money(1000, "USD"))


def test_nothing_is_divided_where_nobody_asked() -> None:
    """All of it is ours."""
    assert () == splitting.resolve((), _eur(1000))


def test_last_cent_is_the_remainders() -> None:
    """Whoever stands first; the platform's where there is no remainder."""
    rest = _part("org_3", 334, SplitKind.REMAINDER)
    thirds = [_part("org_1", 333), rest, _part("org_2", 333)]
    ours = [_part("org_1", 500), _part(PLATFORM, 500, SplitKind.COMMISSION)]

    assert [33, 34, 33] == [one.amount.minor for one in splitting.reverse(thirds, _eur(100))]
    assert [50, 51] == [one.amount.minor for one in splitting.reverse(ours, _eur(101))]


def test_refunds_in_pieces_come_to_the_parts() -> None:
    """However they are cut, no part gives more than it has, and in the end each gave all."""
    chance = random.Random(_SEED)
    for _ in range(300):
        kinds = [SplitKind.REMAINDER] + [SplitKind.PRINCIPAL] * chance.randint(0, 4)
        parts = [_part(f"org_{at}", chance.randint(1, 60), kind) for at, kind in enumerate(kinds)]
        given, pieces = {one.party: 0 for one in parts}, list[Money]()
        left = sum(one.amount.minor for one in parts)
        while left:
            piece = _eur(chance.randint(1, left))
            shares = splitting.reverse(parts, piece, pieces)
            for one in shares:
                given[one.party] += one.amount.minor
            left -= piece.minor
            pieces.append(piece)

            assert piece.minor == sum(one.amount.minor for one in shares), _SEED
            assert all(one.amount.minor > 0 for one in shares), _SEED
        assert given == {one.party: one.amount.minor for one in parts}, _SEED


def test_more_than_there_is_does_not_go_back() -> None:
    """It would be somebody else's."""
    with pytest.raises(Rejected, match="have left"):
        splitting.reverse([_part("org_1", 100)], _eur(51), [_eur(50)])


def test_refund_counts_those_before_it() -> None:
    """But neither those that failed nor those that follow."""
    refunds = tuple(
        Refund(refund_id=name, payment_id="p", amount=_eur(minor), requested_at="", state=state)
        for name, minor, state in [
            ("r-1", 50, RefundState.SETTLED),
            ("r-2", 49, RefundState.FAILED),
            ("r-3", 50, RefundState.CREATED),
            ("r-4", 9, RefundState.CREATED),
        ]
    )
    payment = Payment(
        payment_id="p",
        amount=_eur(100),
        method_code="card",
        capture_method=CaptureMethod.AUTOMATIC,
        requested_at="",
        captured=_eur(100),
        refunded=_eur(0),
        returned=_eur(0),
        disputed=_eur(0),
        splits=(_split("org_1", 33), _split(PLATFORM, None)),
        refunds=refunds,
    )

    assert [17, 33] == [one.amount.minor for one in splitting.of_refund(payment, "r-3", _eur(50))]
