"""What Mollie demands of payers, baskets and parts; without it nothing is sent.

Source: docs.mollie.com/reference/create-payment, the page of each method ("Required fields"),
/docs/upfront-routing and /docs/connect-splitting-payments, read 2026-11.
"""

import re
from collections.abc import Sequence
from typing import Final

import msgspec

from adapters.mollie.answers import Amount
from gateway.errors import Rejected
from gateway.kit import payers, splitting
from gateway.kit.payers import Asked
from gateway.kit.splitting import Part
from gateway.model.capability import Capability
from gateway.model.money import Money
from gateway.model.payment import CaptureMethod, Payment
from gateway.model.split import PLATFORM, SplitKind

_CREDIT: Final = Asked(email=True, basket=True)
# Alma and Trustly only want to know by whom it is paid.
_ASKED: Final = {
    "klarna": _CREDIT,
    "riverty": _CREDIT,
    "in3": _CREDIT,
    "billie": Asked(email=True, basket=True, business=True),
    "alma": Asked(email=True),
    "trustly": Asked(email=True),
}
_ORGANISATION: Final = re.compile(r"org_[A-Za-z0-9]+")
# A guide of 2026-08 says that pounds can be routed as well; the reference says euros only.
_ROUTED: Final = "EUR"
_KINDS: Final = frozenset({SplitKind.PRINCIPAL, SplitKind.COMMISSION, SplitKind.REMAINDER})


class Share(msgspec.Struct, frozen=True):
    """What one connected organisation gets, or gives back."""

    organisation: str
    amount: Amount


def names(payment: Payment) -> tuple[str | None, str | None]:
    """Given names and family name of who pays; neither where Mollie is not told.

    Raises:
        Rejected: Something is missing of what the method asks for.
    """
    asked = _ASKED.get(payment.method_code)
    if asked is None:
        return None, None
    payer = payers.check(payment, asked, title="Mollie")
    return payer.given_name, payer.family_name


def check_capture(payment: Payment, row: Capability | None) -> None:
    """Raise where a method that is always authorised first is to be collected at once."""
    if row is not None and row.held and payment.capture_method is CaptureMethod.AUTOMATIC:
        message = f"payment.capture_method: {row.method} is always captured later; send manual."
        raise Rejected(message, code="capture_method_unsupported")


def routes(payment: Payment, row: Capability | None) -> list[Share] | None:
    """Whose the money is, without what stays ours; None where it is all ours.

    Raises:
        Rejected: Mollie cannot divide it like this; ``split_sum`` where nobody could.
    """
    if not payment.splits:
        return None
    if row is None or not row.splits:
        message = "payment.splits: Mollie does not divide what is paid by this method."
        raise Rejected(message, code="splits_unsupported")
    if payment.amount.currency != _ROUTED:
        message = f"payment.splits: Mollie divides amounts in {_ROUTED} only."
        raise Rejected(message, code="splits_unsupported")
    parts = splitting.resolve(payment.splits, payment.amount)
    for index, part in enumerate(parts):
        _check_part(part, f"payment.splits[{index}]")
    return _shares(parts)


def reversals(payment: Payment, refund_id: str, amount: Money) -> list[Share] | None:
    """What each member gives back; None where the money was all ours."""
    return _shares(splitting.of_refund(payment, refund_id, amount)) if payment.splits else None


def check_part_of(payment: Payment, amount: Money) -> None:
    """Raise where a part of a divided payment is to be captured: its routes are of the whole."""
    if payment.splits and amount != payment.amount:
        message = "payment.splits: Mollie captures what is divided as a whole only."
        raise Rejected(message, code="splits_unsupported")


def _check_part(part: Part, place: str) -> None:
    if part.kind not in _KINDS:
        message = f"{place}.kind: Mollie knows no {part.kind}; send it as a part of another."
        raise Rejected(message, code="split_kind_unsupported")
    if part.party == PLATFORM:
        return
    if part.kind is SplitKind.COMMISSION:
        message = f"{place}.party: a commission is the platform's, which Mollie does not route."
        raise Rejected(message, code="split_kind_unsupported")
    if not _ORGANISATION.fullmatch(part.party):
        message = f"{place}.party is no organisation of Mollie, org_…"
        raise Rejected(message, code="split_party_invalid")


def _shares(parts: Sequence[Part]) -> list[Share]:
    return [
        Share(one.party, Amount(one.amount.currency, one.amount.amount))
        for one in parts
        if one.party != PLATFORM
    ]
