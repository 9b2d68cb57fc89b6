"""Amounts as Stripe counts them, and what of a payment counts as collected and given back.

Source: docs.stripe.com/currencies, special cases, read 2026-11.
"""

from typing import Final

from adapters.stripe.answers import Charge, Intent
from gateway.errors import Rejected
from gateway.kit.answers import UnreadableError
from gateway.model.money import Money

# Stripe's unit differs from ISO 4217: two decimals for ISK and UGX "for backwards compatibility",
# none for MGA. The pair is what one ISO minor unit is at Stripe, as times and divided by.
# HUF and TWD have two decimals for charges; only payouts are whole.
_UNITS: Final = {"ISK": (100, 1), "UGX": (100, 1), "MGA": (1, 100)}
_WHOLE_PAYOUTS: Final = frozenset({"HUF", "TWD"})
_THREE_DECIMALS: Final = frozenset({"BHD", "JOD", "KWD", "OMR", "TND"})
# ISO decimals that Stripe does not list; guessing the scale would cost a factor of ten.
_NOT_AT_STRIPE: Final = frozenset({"CLF", "IQD", "LYD", "UYI", "UYW"})


def units(amount: Money) -> int:
    """The amount as Stripe counts it.

    Raises:
        Rejected: Stripe does not take this currency, or not so fine an amount.
    """
    if amount.currency in _NOT_AT_STRIPE:
        raise Rejected("Stripe does not take this currency.", code="currency_unsupported")
    times, divided_by = _UNITS.get(amount.currency, (1, 1))
    whole, rest = divmod(amount.minor * times, divided_by)
    if rest or (amount.currency in _THREE_DECIMALS and whole % 10):
        raise Rejected("Stripe does not take so fine an amount.", code="amount_too_fine")
    return whole


def payout_units(amount: Money) -> int:
    """The amount of a payout as Stripe counts it.

    Raises:
        Rejected: Stripe does not pay this currency out, or not so fine an amount.
    """
    counted = units(amount)
    if amount.currency in _WHOLE_PAYOUTS and counted % 100:
        raise Rejected("Stripe pays out whole units only.", code="amount_too_fine")
    return counted


def units_below(amount: Money) -> int:
    """The same of a share that was computed: what is too fine for Stripe stays with the others."""
    step = 10 if amount.currency in _THREE_DECIMALS else _UNITS.get(amount.currency, (1, 1))[1]
    return units(Money(amount.minor // step * step, amount.currency))


def minors(currency: str, **stripe_amounts: int) -> dict[str, int]:
    """Amounts of Stripe's in the smallest unit of ISO 4217.

    Args:
        currency: As Stripe writes it, in lower case.

    Raises:
        UnreadableError: A fraction of a unit that cannot be paid.
    """
    times, divided_by = _UNITS.get(currency.upper(), (1, 1))
    if any(amount * divided_by % times for amount in stripe_amounts.values()):
        raise UnreadableError("Stripe's amount has a fraction.", code="unreadable")
    return {name: amount * divided_by // times for name, amount in stripe_amounts.items()}


def received(intent: Intent) -> int:
    """What was collected; stand-ins such as localstripe only say that it was."""
    if intent.amount_received is not None:
        return intent.amount_received
    return intent.amount if intent.status == "succeeded" else 0


def captured(charge: Charge) -> int:
    """What was collected of a charge."""
    if not charge.captured:
        return 0
    return charge.amount if charge.amount_captured is None else charge.amount_captured


def refunded(charge: Charge | str | None) -> int:
    """What somebody got back; 0 where only the charge's id is known.

    The part of an authorisation that was released without being captured counts as refunded at
    Stripe ("any additional amount will be automatically refunded"), but nobody got it back.
    """
    if not isinstance(charge, Charge) or not charge.captured:
        return 0
    released = charge.amount - captured(charge)
    over = charge.amount_refunded - released
    return over if over >= 0 else charge.amount_refunded
