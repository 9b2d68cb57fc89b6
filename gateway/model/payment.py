"""A payment: one intended collection, its attempts and what became of the money."""

from enum import StrEnum

import msgspec

from gateway.model.money import Money
from gateway.model.states import Machine


class PaymentState(StrEnum):
    """Where a payment stands. Amounts refunded or disputed are facets, not states."""

    CREATED = "CREATED"
    REQUIRES_ACTION = "REQUIRES_ACTION"
    PENDING = "PENDING"
    AUTHORISED = "AUTHORISED"
    CAPTURED = "CAPTURED"
    SETTLED = "SETTLED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    RETURNED = "RETURNED"
    DISPUTED = "DISPUTED"


_S = PaymentState
PAYMENT_STATES: Machine[PaymentState] = Machine(
    "payment",
    _S.CREATED,
    {
        _S.CREATED: frozenset(
            {_S.REQUIRES_ACTION, _S.PENDING, _S.AUTHORISED, _S.CAPTURED, _S.FAILED, _S.CANCELLED}
        ),
        _S.REQUIRES_ACTION: frozenset(
            {_S.PENDING, _S.AUTHORISED, _S.CAPTURED, _S.FAILED, _S.CANCELLED}
        ),
        _S.PENDING: frozenset({_S.AUTHORISED, _S.CAPTURED, _S.SETTLED, _S.FAILED, _S.CANCELLED}),
        _S.AUTHORISED: frozenset({_S.CAPTURED, _S.CANCELLED, _S.FAILED}),
        _S.CAPTURED: frozenset({_S.SETTLED, _S.RETURNED, _S.DISPUTED}),
        _S.SETTLED: frozenset({_S.RETURNED, _S.DISPUTED}),
        # Money that moved has the last word, whatever was said before.
        _S.FAILED: frozenset({_S.CAPTURED}),
        _S.CANCELLED: frozenset(),
        _S.RETURNED: frozenset(),
        _S.DISPUTED: frozenset({_S.RETURNED, _S.SETTLED}),
    },
)


class AttemptState(StrEnum):
    """What is known of one attempt to move money."""

    PREPARED = "PREPARED"
    SUCCEEDED = "SUCCEEDED"
    DECLINED = "DECLINED"
    PENDING = "PENDING"
    CANCELLED = "CANCELLED"
    UNKNOWN = "UNKNOWN"


class CaptureMethod(StrEnum):
    """Whether an authorisation is collected at once or by a later call."""

    AUTOMATIC = "automatic"
    MANUAL = "manual"


class PaymentFailure(msgspec.Struct, frozen=True, kw_only=True):
    """Why money did not move: our code, their words.

    Attributes:
        code: Ours, such as ``declined``, ``insufficient_funds``, ``authentication_required``.
        provider_code: The provider's own code, unchanged.
        retryable: Whether another attempt with the same method can succeed.
    """

    code: str
    provider_code: str = ""
    retryable: bool = False


class PaymentAttempt(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt at a payment, committed as PREPARED before anything is sent.

    Attributes:
        key: The idempotency key the provider was given; the same on every repetition.
    """

    attempt_id: str
    key: str
    state: AttemptState
    provider_ref: str = ""
    failure: PaymentFailure | None = None


class ProviderPayment(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider says about a payment: an answer, a look-up or a webhook.

    Attributes:
        provider_ref: The provider's id of the payment.
        amount: What was asked for, as the provider has it.
        captured: Collected so far, in the payment's currency.
        refunded: Given back so far.
    """

    provider_ref: str
    state: PaymentState
    amount: Money
    captured: Money
    refunded: Money
    failure: PaymentFailure | None = None


class ProviderRefund(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider says about a refund.

    Attributes:
        state: PENDING, SETTLED or FAILED.
    """

    provider_ref: str
    state: PaymentState
    amount: Money
    failure: PaymentFailure | None = None


class Payment(msgspec.Struct, frozen=True, kw_only=True):
    """One intended collection.

    Attributes:
        payment_id: Ours; the provider keeps it in a field that it can search.
        method_code: Canonical method, such as ``card``.
        token: The provider's token of the instrument; never a card or account number.
        provider: The configured system that collects.
        captured, refunded: Facets in the payment's currency, never above the amount.
        requested_at: When the payment was first prepared, ISO 8601 in UTC.
    """

    payment_id: str
    order_id: str
    amount: Money
    method_code: str
    token: str
    capture_method: CaptureMethod
    provider: str
    requested_at: str
    state: PaymentState = PaymentState.CREATED
    provider_ref: str = ""
    captured: Money
    refunded: Money
    failure: PaymentFailure | None = None
    attempts: tuple[PaymentAttempt, ...] = ()
