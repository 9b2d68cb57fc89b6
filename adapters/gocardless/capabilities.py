"""What GoCardless can do through us: a method for each of its direct debit schemes.

Source: developer.gocardless.com/api-reference, supported direct debit schemes, and
``Payment.currency`` there, read 2026-11. SEPA reaches all of its countries, but outside of the
eurozone only a few banks.
"""

from typing import Final

from gateway.errors import Rejected
from gateway.model.capability import SEPA, Capability
from gateway.model.payment import CaptureMethod, Payment

_VERBS: Final = ("create_payment", "cancel_payment", "refund_payment")


def _debit(method: str, currency: str, *countries: str) -> Capability:
    return Capability(
        method=method, countries=countries, currencies=(currency,), verbs=_VERBS, token=True
    )


CAPABILITIES: Final = (
    _debit("sepa_debit", "EUR", *SEPA),
    _debit("bacs_debit", "GBP", "GB", "GG", "GI", "IM", "JE"),
    _debit("ach_debit", "USD", "US"),
    _debit("becs_debit", "AUD", "AU"),
    _debit("becs_nz_debit", "NZD", "NZ"),
    _debit("autogiro_debit", "SEK", "SE"),
    _debit("betalingsservice_debit", "DKK", "DK"),
    _debit("pad_debit", "CAD", "CA"),
)
_BY_METHOD: Final = {row.method: row for row in CAPABILITIES}


def check(payment: Payment) -> None:
    """Refuse what no row offers, before anything is sent.

    Raises:
        Rejected: The code says what is not offered, the message which field asks for it.
    """
    row = _BY_METHOD.get(payment.method_code)
    if row is None:
        raise Rejected("method_code is nothing that GoCardless offers.", code="method_unsupported")
    if payment.amount.currency not in row.currencies:
        message = f"amount.currency has to be {row.currencies[0]} with {row.method}."
        raise Rejected(message, code="currency_unsupported")
    if payment.capture_method is not CaptureMethod.AUTOMATIC:
        message = "capture_method has to be automatic: a direct debit cannot be held."
        raise Rejected(message, code="capture_method_unsupported")
    if not payment.token:
        raise Rejected("token has to be a mandate of GoCardless.", code="token_missing")
