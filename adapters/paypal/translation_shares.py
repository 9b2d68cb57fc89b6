"""Shares: a payment of which a member is the payee, and a platform fee ours.

Source: checkout_orders_v2 and payments_payment_v2, payment_instruction, of 2024-02;
developer.paypal.com/docs/multiparty, read 2026-11.
"""

import base64
import re
from collections.abc import Sequence
from typing import Final

import msgspec

from gateway.errors import Rejected
from gateway.kit import commission as one_commission
from gateway.kit import splitting
from gateway.kit.splitting import Part
from gateway.model.money import Money
from gateway.model.payment import Payment

_ACCOUNT: Final = re.compile(r"[2-9A-HJ-NP-Z]{13}")
_HUNDREDTHS: Final = frozenset({"HUF", "TWD"})  # two decimals by ISO 4217, none at PayPal


def step(currency: str) -> int:
    """The least that PayPal counts, in the smallest unit of ISO 4217."""
    return 100 if currency in _HUNDREDTHS else 1


def member_of(payment: Payment) -> str | None:
    """The account whose the money is; None where it is all ours.

    Raises:
        Rejected: PayPal cannot divide it so.
    """
    member = one_commission.member_of(payment.splits, title="PayPal")
    if member is not None and not _ACCOUNT.fullmatch(member):
        at = next(at for at, one in enumerate(payment.splits) if one.party == member)
        message = f"splits[{at}].party is no account of PayPal."
        raise Rejected(message, code="field_invalid")
    return member


def acting_for(payment: Payment, client_id: str) -> tuple[tuple[bytes, bytes], ...]:
    """Headers that say in whose name we act: a token that nobody signs, as our own is proof.

    Source: developer.paypal.com/api/rest/requests, PayPal-Auth-Assertion, read 2026-11.
    """
    member = member_of(payment)
    if member is None:
        return ()
    parts = ({"alg": "none"}, {"iss": client_id, "payer_id": member})
    coded = (base64.urlsafe_b64encode(msgspec.json.encode(one)).rstrip(b"=") for one in parts)
    return ((b"paypal-auth-assertion", b".".join((*coded, b""))),)


def commission(payment: Payment) -> Money:
    """What the platform keeps of a payment.

    Raises:
        Rejected: The parts are not the amount, or what is kept is finer than PayPal takes.
    """
    kept = one_commission.kept(_parts(payment), payment.amount.currency)
    if kept.minor % step(kept.currency):
        message = "splits: what the platform keeps has decimals, which PayPal does not take."
        raise Rejected(message, code="amount_too_fine")
    return kept


def commission_of_capture(payment: Payment, amount: Money) -> Money:
    """What the platform keeps of what is collected, beside what it kept before."""
    parts = _parts(payment)
    earlier = [payment.captured] if payment.captured.minor else []
    return _cut(splitting.reverse(parts, amount, earlier) if parts else (), amount)


def commission_of_refund(payment: Payment, refund_id: str, amount: Money) -> Money:
    """What the platform gives back itself."""
    return _cut(splitting.of_refund(payment, refund_id, amount), amount)


def _parts(payment: Payment) -> tuple[Part, ...]:
    return splitting.resolve(payment.splits, payment.amount)


def _cut(parts: Sequence[Part], amount: Money) -> Money:
    """Our share; what is too fine of it is left to the member."""
    kept = one_commission.kept(parts, amount.currency)
    return Money(kept.minor // step(amount.currency) * step(amount.currency), amount.currency)
