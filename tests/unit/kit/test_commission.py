"""Commission: one member has all but what the platform keeps."""

import pytest

from gateway.errors import Rejected
from gateway.kit import commission, splitting
from gateway.model.money import Money
from gateway.model.split import PLATFORM, Split, SplitKind

_REST = SplitKind.REMAINDER


def _split(party: str, minor: int | None, kind: SplitKind = SplitKind.PRINCIPAL) -> Split:
    if minor is None:
        return Split(party=party, kind=_REST)
    return Split(party=party, kind=kind, amount=Money(minor, "EUR"))


def test_member_may_have_several_parts() -> None:
    """They are one to the provider; so are those of the platform."""
    splits = (_split("m", 500), _split(PLATFORM, 30), _split("m", None), _split(PLATFORM, 70))
    parts = splitting.resolve(splits, Money(1000, "EUR"))

    assert "m" == commission.member_of(splits, title="Acme")
    assert Money(100, "EUR") == commission.kept(parts, "EUR")


def test_nothing_is_divided() -> None:
    """All of it is ours, and none of it a commission."""
    assert commission.member_of((), title="Acme") is None
    assert Money(0, "EUR") == commission.kept((), "EUR")


@pytest.mark.parametrize(
    ("splits", "named"),
    [
        ((_split("m", 500), _split("n", None)), r"^splits\[1\]\.party: Acme"),
        ((_split("m", None), _split(PLATFORM, 1, SplitKind.VAT)), r"^splits\[1\]\.kind: Acme"),
        ((_split("m", None), _split(PLATFORM, 1, SplitKind.TIP)), r"^splits\[1\]\.kind: Acme"),
        ((_split(PLATFORM, None),), "^splits:"),
    ],
)
def test_what_cannot_be_told_is_refused(splits: tuple[Split, ...], named: str) -> None:
    """With the part that is to blame."""
    with pytest.raises(Rejected, match=named) as caught:
        commission.member_of(splits, title="Acme")

    assert "splits_unsupported" == caught.value.code
