"""Parts: whose the money of a payment is, as Adyen for Platforms books it.

Source: Checkout v71, Split; docs.adyen.com/platforms/online-payments/split-transactions, read
2026-11.
"""

from collections.abc import Iterable

import msgspec
from msgspec.structs import replace

from adapters.adyen import amounts
from gateway.errors import Rejected
from gateway.kit import splitting
from gateway.kit.splitting import Part
from gateway.model.money import Money
from gateway.model.payment import Payment
from gateway.model.split import PLATFORM, Split, SplitKind


class Booking(msgspec.Struct, frozen=True, kw_only=True):
    """One part, as the mappings need it.

    Attributes:
        kind: Whose it is and what for, such as ``member.PRINCIPAL``.
        account: Balance account of the member; None for the platform's own.
        value: As Adyen counts it.
    """

    kind: str
    account: str | None
    value: int
    currency: str
    reference: str


def of_payment(payment: Payment) -> tuple[Booking, ...]:
    """All parts of a payment.

    Raises:
        Rejected: They are not its amount, or one is of a kind that Adyen does not book by amount.
    """
    for index, one in enumerate(payment.splits):
        if one.kind is SplitKind.FEE_SHARE:
            message = f"splits[{index}].kind: Adyen reckons fees itself, and takes no amount."
            raise Rejected(message, code="splits_unsupported")
    counted = _counted(payment)
    return _booked(splitting.resolve(counted.splits, counted.amount))


def of_capture(payment: Payment, amount: Money) -> tuple[Booking, ...]:
    """The parts of what is collected, in proportion to what is left of each."""
    counted = _counted(payment)
    parts = splitting.resolve(counted.splits, counted.amount)
    earlier = [counted.captured] if counted.captured.minor else []
    return _booked(splitting.reverse(parts, _units(amount), earlier) if parts else ())


def of_refund(payment: Payment, refund_id: str, amount: Money) -> tuple[Booking, ...]:
    """Who gives back how much."""
    return _booked(splitting.of_refund(_counted(payment), refund_id, _units(amount)))


def _counted(payment: Payment) -> Payment:
    """The payment with its amounts as Adyen counts them: what is divided then comes out whole."""
    return replace(
        payment,
        amount=_units(payment.amount),
        captured=_units(payment.captured),
        splits=tuple(
            _named(one, f"{payment.payment_id}-{at}") for at, one in enumerate(payment.splits, 1)
        ),
        refunds=tuple(replace(one, amount=_units(one.amount)) for one in payment.refunds),
    )


def _named(split: Split, reference: str) -> Split:
    """A part with a reference that no other has, which Adyen wants."""
    amount = None if split.amount is None else _units(split.amount)
    return replace(split, amount=amount, reference=split.reference or reference)


def _units(amount: Money) -> Money:
    return Money(amounts.units(amount, "splits"), amount.currency)


def _booked(parts: Iterable[Part]) -> tuple[Booking, ...]:
    return tuple(
        Booking(
            kind=f"{'platform' if one.party == PLATFORM else 'member'}.{one.kind.value}",
            account=None if one.party == PLATFORM else one.party,
            value=one.amount.minor,
            currency=one.amount.currency,
            reference=one.reference,
        )
        for one in parts
    )
