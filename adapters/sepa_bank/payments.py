"""Payments by files: nothing is asked of anybody, so every verb answers at once.

What is promised here is kept by the exports of the hub, which write the files, and by what the
bank tells in its own. Until then a payment is pending.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Final

from adapters.sepa_bank import references
from adapters.sepa_bank.capabilities import SCHEMES
from adapters.sepa_bank.settings import Settings
from gateway.errors import Rejected
from gateway.kit import mapping
from gateway.kit.sepa import identifiers
from gateway.kit.sepa.characters import Unwritable, written
from gateway.kit.sepa.documents.checks import REMITTANCE_LENGTH
from gateway.model.money import Money
from gateway.model.movement import MovementKind
from gateway.model.payment import (
    CaptureMethod,
    Payment,
    PaymentState,
    ProviderPayment,
    ProviderRefund,
)
from gateway.ports.exchange import Exchange

# Source: as in kit.sepa.documents.checks, which looks again when the file is written.
_MOST: Final = 99_999_999_999


class SepaBankPayments:
    """Direct debits by our own mandates.

    Args:
        mappings: Not needed here; the files are written by them.
    """

    def __init__(
        self,
        settings: Settings,
        mappings: Mapping[str, mapping.Mapping] | None = None,  # noqa: ARG002 - as every port is made
    ) -> None:
        self._settings = settings

    def create_payment(self, payment: Payment, *, key: str) -> Exchange[ProviderPayment]:  # noqa: ARG002 - the id itself is the key
        """Promise to collect: checked by all that is known before the file is written."""
        yield from ()
        _check(payment)
        return _said(payment, PaymentState.PENDING)

    def capture_payment(
        self,
        payment: Payment,  # noqa: ARG002 - whatever it is
        amount: Money,  # noqa: ARG002 - the same
        *,
        key: str,  # noqa: ARG002 - the same
    ) -> Exchange[ProviderPayment]:
        """Refuse: nothing is held at a bank."""
        yield from ()
        raise Rejected("A direct debit cannot be captured.", code="capture_method_unsupported")

    def cancel_payment(self, payment: Payment, *, key: str) -> Exchange[ProviderPayment]:  # noqa: ARG002 - it is the same every time
        """Give up a collection that stands in no file yet."""
        yield from ()
        if any(one.kind is MovementKind.CAPTURE for one in payment.movements):
            message = "The collection is in a file for the bank already; give the money back."
            raise Rejected(message, code="already_submitted")
        return _said(payment, PaymentState.CANCELLED)

    def find_payment(self, payment: Payment) -> Exchange[ProviderPayment | None]:
        """What was promised; what became of it only the bank's files tell."""
        yield from ()
        if payment.provider_ref != references.of_payment(payment.payment_id):
            return None
        return _said(payment, PaymentState.PENDING)

    def refund_payment(
        self,
        payment: Payment,
        refund_id: str,
        amount: Money,
        *,
        key: str,  # noqa: ARG002 - the refund's id itself is the key
    ) -> Exchange[ProviderRefund]:
        """Promise to give back, by a transfer to the debtor's account."""
        yield from ()
        if payment.method_code not in SCHEMES or not payment.mandate_id:
            message = "payment.mandate_id is missing, so no account is known to pay to."
            raise Rejected(message, code="mandate_missing")
        _check_amount(amount)
        return ProviderRefund(
            provider_ref=references.of_refund(payment.payment_id, refund_id),
            state=PaymentState.PENDING,
            amount=amount,
        )

    def find_refund(self, payment: Payment, refund_id: str) -> Exchange[ProviderRefund | None]:
        """What was promised and is known by its reference; else nothing was."""
        yield from ()
        reference = references.of_refund(payment.payment_id, refund_id)
        for one in payment.movements:
            if one.kind is MovementKind.REFUND and one.ref == reference:
                state = PaymentState.PENDING
                return ProviderRefund(provider_ref=reference, state=state, amount=one.amount)
        return None


def remittance(payment: Payment) -> str:
    """What the debtor reads: the front-end's number, else ours."""
    return payment.reference or payment.order_id or payment.payment_id


def _check(payment: Payment) -> None:
    """Raise where the collection could never be written."""
    if payment.method_code not in SCHEMES:
        message = "payment.method_code is no direct debit by a mandate of ours."
        raise Rejected(message, code="method_unsupported")
    if payment.capture_method is not CaptureMethod.AUTOMATIC:
        message = "payment.capture_method: a bank holds nothing for later."
        raise Rejected(message, code="capture_method_unsupported")
    if not payment.mandate_id:
        raise Rejected("payment.mandate_id is missing.", code="mandate_missing")
    if fault := identifiers.reference_fault(payment.mandate_id):
        raise Rejected(f"payment.mandate_id breaks the rule {fault}.", code="mandate_invalid")
    _check_amount(payment.amount)
    try:
        written(remittance(payment), at_most=REMITTANCE_LENGTH)
        if payment.due:
            dt.date.fromisoformat(payment.due)
    except Unwritable as error:
        message = f"payment.reference cannot be written: {error}."
        raise Rejected(message, code="reference_invalid") from error
    except ValueError as error:
        raise Rejected("payment.due is no day.", code="due_invalid") from error


def _check_amount(amount: Money) -> None:
    if amount.currency != "EUR":
        message = "payment.amount.currency: SEPA pays in EUR only."
        raise Rejected(message, code="currency_unsupported")
    if not 1 <= amount.minor <= _MOST:
        message = "payment.amount is not between 0.01 and 999,999,999.99."
        raise Rejected(message, code="amount_invalid")


def _said(payment: Payment, state: PaymentState) -> ProviderPayment:
    nothing = Money(0, payment.amount.currency)
    return ProviderPayment(
        provider_ref=references.of_payment(payment.payment_id),
        state=state,
        amount=payment.amount,
        captured=nothing,
        refunded=nothing,
    )
