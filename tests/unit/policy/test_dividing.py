"""Dividing: at the payment where the provider can, by transfers after it where it can that."""

import msgspec
import pytest

from gateway.model.capability import Capability
from gateway.model.money import Money
from gateway.model.payment import CaptureMethod, Payment
from gateway.model.split import PLATFORM, Split, SplitKind, SplitMode
from gateway.policy import dividing

_M = SplitMode
_NONE = Capability(method="card", verbs=())
_ANY = msgspec.structs.replace(_NONE, splits=3)
_ONE = msgspec.structs.replace(_NONE, splits=2, split_members=1)
_BOTH = msgspec.structs.replace(_ONE, splits_after=4)


def _payment(*splits: Split) -> Payment:
    zero = Money(0, "EUR")
    return Payment(
        payment_id="p",
        amount=Money(1_000, "EUR"),
        method_code="card",
        capture_method=CaptureMethod.AUTOMATIC,
        requested_at="2026-01-01",
        captured=zero,
        refunded=zero,
        returned=zero,
        disputed=zero,
        splits=splits,
    )


@pytest.mark.parametrize(
    ("row", "parts", "members", "expected"),
    [
        (_NONE, 0, 0, _M.AT_PAYMENT),
        (_NONE, 1, 1, None),
        (_ANY, 3, 3, _M.AT_PAYMENT),
        (_ANY, 4, 1, None),
        (_ONE, 2, 1, _M.AT_PAYMENT),
        (_ONE, 2, 2, None),
        (_BOTH, 2, 1, _M.AT_PAYMENT),
        (_BOTH, 2, 2, _M.AFTER_PAYMENT),
        (_BOTH, 3, 1, _M.AFTER_PAYMENT),
        (_BOTH, 5, 2, None),
    ],
)
def test_mode_is_what_the_row_says(
    row: Capability, parts: int, members: int, expected: SplitMode | None
) -> None:
    """What can be done at once is."""
    assert expected is dividing.mode(row, parts=parts, of_members=members)


def test_payment_keeps_the_earliest_mode_of_its_method() -> None:
    """Rows of other methods say nothing."""
    payment = _payment(
        Split(party="a", amount=Money(500, "EUR")),
        Split(party="b", kind=SplitKind.REMAINDER),
        Split(party=PLATFORM, amount=Money(100, "EUR")),
    )
    other = msgspec.structs.replace(_ANY, method="ideal")

    modes = [
        dividing.divided(payment, rows, wallets=False).split_mode
        for rows in ((other, _BOTH), (_BOTH, _ANY), (other,))
    ]

    assert [_M.AFTER_PAYMENT, _M.AT_PAYMENT, _M.AT_PAYMENT] == modes
    whole = msgspec.structs.replace(payment, splits=())
    assert whole is dividing.divided(whole, (_BOTH,), wallets=True)


def test_ledger_divides_what_the_provider_does_not() -> None:
    """And the provider is told nothing of it; what it can do it does."""
    parts = (
        Split(party="M-1", amount=Money(500, "EUR")),
        Split(party="M-2", kind=SplitKind.REMAINDER),
    )
    payment = _payment(*parts)

    found = dividing.divided(payment, (_NONE,), wallets=True)
    able = dividing.divided(payment, (_NONE, _BOTH), wallets=True)

    assert (_M.WALLET, (), parts) == (found.split_mode, found.splits, found.wallet_splits)
    assert (_M.AFTER_PAYMENT, parts, ()) == (able.split_mode, able.splits, able.wallet_splits)
