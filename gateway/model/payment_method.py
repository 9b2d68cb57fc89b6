"""Payment methods: instruments that a customer has left at a provider, and we know by a token."""

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from gateway.model.instruction import Day
from gateway.model.states import Machine


class PaymentMethodState(StrEnum):
    """Whether it can be paid with."""

    ACTIVE = "ACTIVE"
    EXPIRED = "EXPIRED"
    REVOKED = "REVOKED"


_S = PaymentMethodState
PAYMENT_METHOD_STATES: Machine[PaymentMethodState] = Machine(
    "payment method",
    _S.ACTIVE,
    {
        _S.ACTIVE: frozenset({_S.EXPIRED, _S.REVOKED}),
        _S.EXPIRED: frozenset({_S.REVOKED}),
        _S.REVOKED: frozenset(),
    },
)


class NewPaymentMethod(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An instrument as a front-end leaves it here.

    Attributes:
        provider: The system at which the token was made.
        method_code: Canonical method, such as ``card``.
        token: The provider's token of the instrument; card numbers are refused.
        customer_id: The front-end's id of the customer.
        display_hint: What the customer knows it by, such as ``Visa 4242``.
        expires: The last day on which it can be paid with; empty where it has none.
    """

    provider: Annotated[str, Meta(pattern="^[a-z0-9_]{1,40}$")]
    method_code: Annotated[str, Meta(pattern="^[a-z0-9_]{2,40}$")]
    token: Annotated[str, Meta(min_length=1, max_length=8192, pattern=r"^[\x21-\x7e]*$")]
    customer_id: Annotated[str, Meta(min_length=1, max_length=64, pattern="^[A-Za-z0-9._-]*$")]
    display_hint: Annotated[str, Meta(max_length=60)] = ""
    expires: Day = ""


class PaymentMethod(msgspec.Struct, frozen=True, kw_only=True):
    """An instrument that a customer can pay with.

    Attributes:
        added_at: ISO 8601 in UTC.
    """

    payment_method_id: str
    state: PaymentMethodState = PaymentMethodState.ACTIVE
    provider: str
    method_code: str
    token: str
    customer_id: str
    display_hint: str = ""
    expires: str = ""
    added_at: str
