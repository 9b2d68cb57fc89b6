"""Payments and refunds that people make; nothing is asked, so nothing can be in doubt."""

from typing import Final

import msgspec

from adapters.offline.capabilities import CAPABILITIES
from adapters.offline.settings import Settings
from gateway.errors import Rejected
from gateway.kit.sepa.identifiers import compact
from gateway.model.money import Money
from gateway.model.payment import (
    ActionKind,
    CaptureMethod,
    NextAction,
    Payment,
    PaymentState,
    ProviderPayment,
    ProviderRefund,
)
from gateway.ports.exchange import Exchange

_ROWS: Final = {row.method: row for row in CAPABILITIES}


class OfflinePayments:
    """Payments to one account of ours, or over the counter."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def create_payment(self, payment: Payment, *, key: str) -> Exchange[ProviderPayment]:
        """Wait for the money; who is to transfer it is told where to."""
        del key
        yield from ()
        _check(payment)
        return self._waiting(payment)

    def capture_payment(
        self, payment: Payment, amount: Money, *, key: str
    ) -> Exchange[ProviderPayment]:
        """Refused: nobody holds money for us."""
        del payment, amount, key
        yield from ()
        raise Rejected("Nothing is held that could be captured.", code="capture_method_unsupported")

    def cancel_payment(self, payment: Payment, *, key: str) -> Exchange[ProviderPayment]:
        """Wait no longer; money that comes all the same is recorded all the same."""
        del key
        yield from ()
        if payment.captured.minor:
            raise Rejected("Money was received already.", code="not_cancellable")
        waiting = self._waiting(payment)
        return msgspec.structs.replace(waiting, state=PaymentState.CANCELLED, next_action=None)

    def find_payment(self, payment: Payment) -> Exchange[ProviderPayment | None]:
        """What is known without asking anybody: it was asked for, once there is an attempt."""
        yield from ()
        return self._waiting(payment) if payment.attempts else None

    def refund_payment(
        self, payment: Payment, refund_id: str, amount: Money, *, key: str
    ) -> Exchange[ProviderRefund]:
        """Wait until a person has given the money back."""
        del payment, key
        yield from ()
        return _pending(refund_id, amount)

    def find_refund(self, payment: Payment, refund_id: str) -> Exchange[ProviderRefund | None]:
        """The refund as it was asked for."""
        yield from ()
        known = [one for one in payment.refunds if one.refund_id == refund_id]
        return _pending(refund_id, known[0].amount) if known else None

    def _waiting(self, payment: Payment) -> ProviderPayment:
        nothing = Money(0, payment.amount.currency)
        return ProviderPayment(
            provider_ref=payment.payment_id,
            state=PaymentState.PENDING,
            amount=payment.amount,
            captured=nothing,
            refunded=nothing,
            next_action=self._transfer(payment) if payment.method_code == "prepayment" else None,
        )

    def _transfer(self, payment: Payment) -> NextAction:
        settings = self._settings
        details = {
            "account_holder": settings.account_holder,
            "iban": compact(settings.iban),
            "bic": settings.bic,
            "reference": payment.reference or payment.payment_id,
        }
        known = {name: value for name, value in details.items() if value}
        return NextAction(kind=ActionKind.TRANSFER, details=known, expires_at=payment.due)


def _check(payment: Payment) -> None:
    row = _ROWS.get(payment.method_code)
    if row is None:
        raise Rejected("method_code is nothing that is paid here.", code="method_unsupported")
    if row.currencies and payment.amount.currency not in row.currencies:
        raise Rejected("amount.currency: transfers are in EUR only.", code="currency_unsupported")
    if payment.capture_method is CaptureMethod.MANUAL:
        message = "capture_method: nobody holds money for us."
        raise Rejected(message, code="capture_method_unsupported")


def _pending(refund_id: str, amount: Money) -> ProviderRefund:
    return ProviderRefund(provider_ref=refund_id, state=PaymentState.PENDING, amount=amount)
