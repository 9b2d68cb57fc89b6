"""Checkout: what every conversation with it has, whichever port it is of."""

from collections.abc import Mapping
from typing import Final, TypeVar

import msgspec

from adapters.adyen import amounts, translation, wire
from adapters.adyen.answers import RECEIVED, Amount, Paid, Received, reference_of
from adapters.adyen.settings import Settings
from adapters.adyen.translation import Translation
from gateway.errors import Rejected
from gateway.kit import mapping
from gateway.kit.adapter import Body, segment
from gateway.kit.answers import Answer, mismatch
from gateway.model.money import Money
from gateway.model.payment import Payment
from gateway.ports.exchange import Exchange

T = TypeVar("T")

# Results that are final name the payment; what waits for the payer need not.
_FINAL: Final = frozenset({"Authorised", "Refused", "Error", "Cancelled"})


class Checkout:
    """One merchant account.

    Args:
        mappings: With the tenant's overlays; None for those that are delivered.
    """

    def __init__(
        self, settings: Settings, mappings: Mapping[str, mapping.Mapping] | None = None
    ) -> None:
        self._wire = wire.Wire(settings)
        self._account = settings.merchant_account
        self._translation = Translation(mappings or translation.load(settings), settings)

    def _write(
        self, path: str, body: Body, decoder: msgspec.json.Decoder[T], *, key: str
    ) -> Exchange[Answer[T]]:
        request = self._wire.post(path, body.content, key=key, made_by=body.made_by)
        response = yield request
        return wire.written(response, decoder, key=self._wire.key(key))

    def _modify(
        self, path: str, body: Body, payment: Payment, *, key: str
    ) -> Exchange[Answer[Received]]:
        answer = yield from self._write(path, body, RECEIVED, key=key)
        received = answer.object
        theirs = (received.payment_psp_reference, received.merchant_account)
        if theirs != (payment.provider_ref, self._account):
            raise mismatch("Adyen")
        return answer


def payment_path(payment: Payment) -> str:
    """Where the payment is modified.

    Raises:
        Rejected: Adyen's reference is not known.
    """
    if not payment.provider_ref:
        message = "provider_ref: Adyen's reference of the payment is not known."
        raise Rejected(message, code="provider_ref_missing")
    return f"/payments/{segment(payment.provider_ref)}"


def check(received: Received, reference: str, amount: Money | None = None) -> None:
    """Hold what Adyen has received against what was sent.

    Raises:
        InDoubt: It is something else.
    """
    if received.reference not in {"", reference} or not same(received.amount, amount):
        raise mismatch("Adyen")


def same(theirs: Amount | None, ours: Money | None) -> bool:
    """Whether two amounts are the same, where Adyen tells one."""
    if theirs is None or ours is None:
        return True
    return (theirs.value, theirs.currency) == (amounts.units(ours, "amount"), ours.currency)


def is_of(made: Paid, payment: Payment) -> bool:
    """Whether the answer is about this payment and its amount."""
    named = bool(made.merchant_reference) or made.result_code not in _FINAL
    ours = made.merchant_reference in {"", reference_of(payment)}
    return named and ours and same(made.amount, payment.amount)
