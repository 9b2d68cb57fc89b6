"""Field by field between the model and Stripe: forms out, JSON in, code tables between.

Everything that a mapping could say is here and nowhere else.
Source: Stripe's OpenAPI document of 2023-08-16 and docs.stripe.com/currencies, read 2026-11.
"""

from typing import Final, Generic, TypeAlias, TypeVar

import msgspec

from gateway.errors import Rejected
from gateway.model.money import Money
from gateway.model.payment import (
    CaptureMethod,
    Payment,
    PaymentFailure,
    PaymentState,
    ProviderPayment,
    ProviderRefund,
)

T = TypeVar("T")
Form: TypeAlias = list[tuple[str, str]]

# Our method to Stripe's payment_method_types. Apple Pay and Google Pay arrive as cards. Methods
# that send the customer elsewhere are missing: the model has no return URL yet.
# Source: docs.stripe.com/payments/payment-methods/integration-options, read 2026-11.
_METHODS: Final = {
    "card": "card",
    "apple_pay": "card",
    "google_pay": "card",
    "sepa_debit": "sepa_debit",
    "sepa_direct_debit": "sepa_debit",
}

# Stripe's unit differs from ISO 4217: two decimals for ISK and UGX "for backwards compatibility",
# none for MGA. The pair is what one ISO minor unit is at Stripe, as times and divided by.
# HUF and TWD have two decimals for charges; only payouts are whole.
# Read 2026-11 at docs.stripe.com/currencies, special cases.
_UNITS: Final = {"ISK": (100, 1), "UGX": (100, 1), "MGA": (1, 100)}
_THREE_DECIMALS: Final = frozenset({"BHD", "JOD", "KWD", "OMR", "TND"})
# ISO decimals that Stripe does not list; guessing the scale would cost a factor of ten.
_NOT_AT_STRIPE: Final = frozenset({"CLF", "IQD", "LYD", "UYI", "UYW"})

# Source: PaymentIntent.status, docs.stripe.com/payments/paymentintents/lifecycle, read 2026-11.
_S = PaymentState
_INTENT_STATES: Final = {
    "requires_payment_method": _S.FAILED,
    "requires_confirmation": _S.CREATED,
    "requires_action": _S.REQUIRES_ACTION,
    "processing": _S.PENDING,
    "requires_capture": _S.AUTHORISED,
    "succeeded": _S.CAPTURED,
    "canceled": _S.CANCELLED,
}
# Source: Refund.status, docs.stripe.com/api/refunds/object, read 2026-11.
_REFUND_STATES: Final = {
    "pending": _S.PENDING,
    "requires_action": _S.PENDING,
    "succeeded": _S.SETTLED,
    "failed": _S.FAILED,
    "canceled": _S.FAILED,
}
# None: an inquiry, for which no money moves.
# Source: Dispute.status, docs.stripe.com/api/disputes/object, read 2026-11.
_DISPUTE_STATES: Final = {
    "needs_response": _S.DISPUTED,
    "under_review": _S.DISPUTED,
    "won": _S.SETTLED,
    "lost": _S.RETURNED,
    "warning_needs_response": None,
    "warning_under_review": None,
    "warning_closed": None,
    "prevented": None,
}

# Their decline_code or code: ours, and whether the same instrument can succeed later.
# Source: docs.stripe.com/declines/codes and /error-codes, read 2026-11.
_FAILURES: Final = {
    "insufficient_funds": ("insufficient_funds", True),
    "authentication_required": ("authentication_required", True),
    "payment_intent_authentication_failure": ("authentication_failed", True),
    "approve_with_id": ("processing_error", True),
    "issuer_not_available": ("processing_error", True),
    "processing_error": ("processing_error", True),
    "reenter_transaction": ("processing_error", True),
    "try_again_later": ("processing_error", True),
    "card_velocity_exceeded": ("limit_exceeded", True),
    "withdrawal_count_limit_exceeded": ("limit_exceeded", True),
    "charge_exceeds_source_limit": ("limit_exceeded", True),
    "expired_card": ("instrument_expired", False),
    "incorrect_cvc": ("instrument_invalid", False),
    "incorrect_number": ("instrument_invalid", False),
    "invalid_account": ("instrument_invalid", False),
    "invalid_cvc": ("instrument_invalid", False),
    "invalid_expiry_month": ("instrument_invalid", False),
    "invalid_expiry_year": ("instrument_invalid", False),
    "invalid_number": ("instrument_invalid", False),
    "account_closed": ("instrument_invalid", False),
    "no_account": ("instrument_invalid", False),
    "fraudulent": ("instrument_blocked", False),
    "lost_card": ("instrument_blocked", False),
    "pickup_card": ("instrument_blocked", False),
    "restricted_card": ("instrument_blocked", False),
    "stolen_card": ("instrument_blocked", False),
    "card_not_supported": ("instrument_unsupported", False),
    "currency_not_supported": ("instrument_unsupported", False),
    "transaction_not_allowed": ("instrument_unsupported", False),
    "debit_not_authorized": ("mandate_invalid", False),
    "duplicate_transaction": ("duplicate", False),
}


class UnreadableError(ValueError):
    """Stripe said something that is not in our tables.

    Attributes:
        code: ``status_unknown`` or ``unreadable``.
    """

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message)
        self.code = code


class Decline(msgspec.Struct, frozen=True, kw_only=True):
    """``last_payment_error``: why the money did not move."""

    code: str | None = None
    decline_code: str | None = None


class Charge(msgspec.Struct, frozen=True, kw_only=True):
    """The movement behind a PaymentIntent."""

    id: str
    amount: int
    amount_refunded: int
    captured: bool
    amount_captured: int | None = None
    currency: str
    payment_intent: str | None = None
    metadata: dict[str, str] | None = None


class Intent(msgspec.Struct, frozen=True, kw_only=True):
    """A PaymentIntent, as far as we read it."""

    id: str
    amount: int
    currency: str
    status: str
    created: int
    amount_received: int | None = None
    latest_charge: Charge | str | None = None
    last_payment_error: Decline | None = None
    metadata: dict[str, str] | None = None


class Refund(msgspec.Struct, frozen=True, kw_only=True):
    """A Refund, as far as we read it."""

    id: str
    amount: int
    currency: str
    created: int
    status: str | None = None
    payment_intent: str | None = None
    failure_reason: str | None = None
    metadata: dict[str, str] | None = None


class Dispute(msgspec.Struct, frozen=True, kw_only=True):
    """A Dispute, as far as we read it."""

    id: str
    amount: int
    currency: str
    status: str
    payment_intent: str | None = None
    metadata: dict[str, str] | None = None


class Page(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """One page of a list or of a search."""

    data: tuple[T, ...]
    has_more: bool
    next_page: str | None = None


INTENT: Final = msgspec.json.Decoder(Intent)
INTENTS: Final = msgspec.json.Decoder(Page[Intent])
REFUND: Final = msgspec.json.Decoder(Refund)
REFUNDS: Final = msgspec.json.Decoder(Page[Refund])
CHARGE: Final = msgspec.json.Decoder(Charge)
DISPUTE: Final = msgspec.json.Decoder(Dispute)


def payment_form(payment: Payment) -> Form:
    """Create and confirm in one request.

    Raises:
        Rejected: Stripe cannot do this, or we do not know how; nothing was sent.
    """
    method = _METHODS.get(payment.method_code)
    if method is None:
        raise Rejected("Stripe does not offer this payment method.", code="method_unsupported")
    form = [
        ("amount", amount_out(payment.amount)),
        ("currency", payment.amount.currency.lower()),
        ("confirm", "true"),
        ("payment_method", payment.token),
        ("payment_method_types[]", method),
        ("capture_method", payment.capture_method.value),
        ("metadata[payment_id]", payment.payment_id),
        ("metadata[order_id]", payment.order_id),
        ("expand[]", "latest_charge"),
    ]
    return form + (_mandate(payment) if method == "sepa_debit" else [])


def _mandate(payment: Payment) -> Form:
    # A debit is confirmed only with a mandate; the front-end showed its text before it made the
    # token. Source: docs.stripe.com/payments/sepa-debit/accept-a-payment, read 2026-11.
    if payment.capture_method is CaptureMethod.MANUAL:
        raise Rejected(
            "A SEPA debit cannot be authorised now and captured later.",
            code="capture_method_unsupported",
        )
    return [("mandate_data[customer_acceptance][type]", "offline")]


def capture_form(amount: Money) -> Form:
    """Collect the amount; what is left of the authorisation is released."""
    return [("amount_to_capture", amount_out(amount)), ("expand[]", "latest_charge")]


def cancel_form() -> Form:
    """Give the authorisation up."""
    return [("expand[]", "latest_charge")]


def refund_form(payment: Payment, refund_id: str, amount: Money) -> Form:
    """Give back, marked with both of our ids."""
    return [
        ("payment_intent", payment.provider_ref),
        ("amount", amount_out(amount)),
        ("metadata[refund_id]", refund_id),
        ("metadata[payment_id]", payment.payment_id),
    ]


def search_query(payment_id: str) -> str:
    """The search for a payment by our id."""
    escaped = payment_id.replace("\\", "\\\\").replace("'", "\\'")
    return f"metadata['payment_id']:'{escaped}'"


def amount_out(amount: Money) -> str:
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
    return str(whole)


def amount_in(stripe_amount: int, currency: str) -> Money:
    """The amount as the model counts it.

    Raises:
        UnreadableError: A fraction of a unit that cannot be paid.
    """
    code = currency.upper()
    times, divided_by = _UNITS.get(code, (1, 1))
    minor, rest = divmod(stripe_amount * divided_by, times)
    if rest:
        raise UnreadableError("Stripe's amount has a fraction.", code="unreadable")
    return Money(minor, code)


def payment_in(intent: Intent) -> ProviderPayment:
    """The payment as a PaymentIntent has it.

    Raises:
        UnreadableError: The status is not in our table.
    """
    state = _INTENT_STATES.get(intent.status)
    if state is None:
        raise UnreadableError("Stripe gave an unknown status.", code="status_unknown")
    if state is PaymentState.FAILED and intent.last_payment_error is None:
        state = PaymentState.CREATED  # nothing was tried yet
    charge = intent.latest_charge
    refunded = _refunded(charge) if isinstance(charge, Charge) else 0
    return ProviderPayment(
        provider_ref=intent.id,
        state=state,
        amount=amount_in(intent.amount, intent.currency),
        captured=amount_in(_received(intent), intent.currency),
        refunded=amount_in(refunded, intent.currency),
        failure=_failure(intent.last_payment_error) if state is PaymentState.FAILED else None,
    )


def _received(intent: Intent) -> int:
    """What was collected; stand-ins such as localstripe only say that it was."""
    if intent.amount_received is not None:
        return intent.amount_received
    return intent.amount if intent.status == "succeeded" else 0


def charge_in(charge: Charge) -> ProviderPayment:
    """The payment as its charge has it, for the events that carry nothing else."""
    released = not charge.captured and charge.amount_refunded == charge.amount
    uncaptured = PaymentState.CANCELLED if released else PaymentState.AUTHORISED
    return ProviderPayment(
        provider_ref=charge.payment_intent or "",
        state=PaymentState.CAPTURED if charge.captured else uncaptured,
        amount=amount_in(charge.amount, charge.currency),
        captured=amount_in(_captured(charge), charge.currency),
        refunded=amount_in(_refunded(charge), charge.currency),
    )


def dispute_in(dispute: Dispute) -> ProviderPayment | None:
    """The payment as a dispute has it: all amounts are the disputed one; None for an inquiry.

    Raises:
        UnreadableError: The status is not in our table.
    """
    if dispute.status not in _DISPUTE_STATES:
        raise UnreadableError("Stripe gave an unknown dispute status.", code="status_unknown")
    state = _DISPUTE_STATES[dispute.status]
    if state is None:
        return None
    amount = amount_in(dispute.amount, dispute.currency)
    return ProviderPayment(
        provider_ref=dispute.payment_intent or "",
        state=state,
        amount=amount,
        captured=amount,
        refunded=Money(0, amount.currency),
    )


def refund_in(refund: Refund) -> ProviderRefund:
    """The refund as Stripe has it.

    Raises:
        UnreadableError: The status is not in our table.
    """
    state = _REFUND_STATES.get(refund.status or "")
    if state is None:
        raise UnreadableError("Stripe gave an unknown refund status.", code="status_unknown")
    reason = refund.failure_reason or refund.status or ""
    return ProviderRefund(
        provider_ref=refund.id,
        state=state,
        amount=amount_in(refund.amount, refund.currency),
        failure=PaymentFailure(code="refund_failed", provider_code=reason)
        if state is PaymentState.FAILED
        else None,
    )


def payment_id_of(metadata: dict[str, str] | None) -> str:
    """Our payment id, where it was sent back."""
    return (metadata or {}).get("payment_id", "")


def refund_id_of(metadata: dict[str, str] | None) -> str:
    """Our refund id, where it was sent back."""
    return (metadata or {}).get("refund_id", "")


def _captured(charge: Charge) -> int:
    if not charge.captured:
        return 0
    return charge.amount if charge.amount_captured is None else charge.amount_captured


def _refunded(charge: Charge) -> int:
    # The part of an authorisation that was released without being captured counts as refunded
    # at Stripe ("any additional amount will be automatically refunded"), but nobody got it back.
    if not charge.captured:
        return 0
    released = charge.amount - _captured(charge)
    over = charge.amount_refunded - released
    return over if over >= 0 else charge.amount_refunded


def _failure(decline: Decline | None) -> PaymentFailure:
    theirs = (decline.decline_code or decline.code if decline else None) or ""
    code, retryable = _FAILURES.get(theirs, ("declined", False))
    return PaymentFailure(code=code, provider_code=theirs, retryable=retryable)
