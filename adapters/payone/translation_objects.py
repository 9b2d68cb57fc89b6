"""What a conversation itself needs of PAYONE's objects: whose they are, and the amounts.

All else is read by the mappings, from the same bytes. Source: API definition 1.61.0.
"""

import base64
import hashlib
from typing import Final, TypeVar

import msgspec

from gateway.errors import Rejected
from gateway.kit.answers import UnreadableError
from gateway.model.money import Money, scale
from gateway.model.payment import CaptureMethod, Payment

T = TypeVar("T")

# "Amount in cents and always having 2 decimals".
_DECIMALS: Final = 2
_MOST: Final = 999_999_999_999


class Amount(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Hundredths of a currency, whatever its decimals."""

    amount: int
    currency_code: str


class References(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What we called it."""

    merchant_reference: str = ""


class Event(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What was done to a payment, with how far it has come."""

    type: str
    payment_status: str = ""
    amount_of_money: Amount | None = None
    merchant_reference: str = ""
    payment_event_id: str = ""
    creation_date_time: str = ""


_EVENT: Final = msgspec.json.Decoder(Event)


class Execution(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One try to pay a checkout.

    Attributes:
        debit: Its input where it is a direct debit.
        events: As they came, for their mapping.
    """

    payment_execution_id: str
    references: References = References()
    debit: msgspec.Raw = msgspec.field(
        name="sepaDirectDebitPaymentMethodSpecificInput", default=msgspec.Raw(b"")
    )
    events: tuple[msgspec.Raw, ...] = ()

    @property
    def read_events(self) -> tuple[tuple[msgspec.Raw, Event], ...]:
        """Each event as it came and as it reads, the oldest first.

        Raises:
            UnreadableError: One of them is none.
        """
        try:
            found = [(raw, _EVENT.decode(raw)) for raw in self.events]
        except msgspec.DecodeError as error:
            raise UnreadableError("PAYONE's event cannot be read.", code="unreadable") from error
        return tuple(sorted(found, key=lambda one: one[1].creation_date_time))


class Totals(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """``statusOutput`` of a checkout: what is there, without what has gone again."""

    collected_amount: int = 0
    refunded_amount: int = 0
    chargeback_amount: int = 0


class Checkout(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A checkout with its executions; we make one execution in each."""

    commerce_case_id: str
    checkout_id: str
    amount_of_money: Amount
    references: References = References()
    payment_executions: tuple[Execution, ...] = ()
    status_output: Totals = Totals()


class Checkouts(msgspec.Struct, frozen=True, kw_only=True):
    """What a search found; each as it came."""

    checkouts: tuple[msgspec.Raw, ...] = ()


class _Output(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    amount_of_money: Amount
    references: References = References()
    merchant_parameters: str = ""


class _Redirect(msgspec.Struct, frozen=True, kw_only=True):
    url: str = msgspec.field(name="redirectURL", default="")


class _Action(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    action_type: str = ""
    redirect_data: _Redirect = _Redirect()


class Paid(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """``payment``, in answers and in webhooks."""

    id: str = ""
    status: str
    payment_output: _Output


class _Response(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    payment: Paid | None = None
    merchant_action: _Action = _Action()
    payment_execution_id: str = ""


class _Problem(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    error_code: str = ""
    http_status_code: int = 400


class _Errors(msgspec.Struct, frozen=True, kw_only=True):
    errors: tuple[_Problem, ...] = ()


class MadeCheckout(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The checkout in the answer to its making."""

    checkout_id: str
    amount_of_money: Amount
    references: References = References()
    payment_response: _Response | None = None
    error_response: _Errors | None = None


class Case(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The answer to the request that makes all of it.

    Attributes:
        checkout: As it came, for its mapping.
    """

    commerce_case_id: str
    checkout: msgspec.Raw


class Captured(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The answer to a capture."""

    capture_output: _Output


class Cancelled(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a cancellation."""

    payment: Paid


class Refunded(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A refund, in answers and in webhooks."""

    refund_output: _Output
    status: str


class Place(msgspec.Struct, frozen=True):
    """Where a payment is: the three ids that its paths need."""

    case: str
    checkout: str
    execution: str

    @property
    def reference(self) -> str:
        """As we keep it."""
        return f"{self.case}.{self.checkout}.{self.execution}"


class Mark(msgspec.Struct, frozen=True):
    """What we write into ``merchantParameters``, which webhooks bring back."""

    payment_id: str
    capture: CaptureMethod


CHECKOUT: Final = msgspec.json.Decoder(Checkout)
CHECKOUTS: Final = msgspec.json.Decoder(Checkouts)
MADE: Final = msgspec.json.Decoder(MadeCheckout)
CASE: Final = msgspec.json.Decoder(Case)
CAPTURED: Final = msgspec.json.Decoder(Captured)
CANCELLED: Final = msgspec.json.Decoder(Cancelled)
REFUNDED: Final = msgspec.json.Decoder(Refunded)
PAID: Final = msgspec.json.Decoder(Paid)
_MARK: Final = msgspec.json.Decoder(Mark)


def place_of(payment: Payment) -> Place | None:
    """Where the payment is; None where that is not known, or told in another form."""
    parts = payment.provider_ref.split(".")
    return Place(*parts) if len(parts) == len(Place.__struct_fields__) and all(parts) else None


def short(our_id: str) -> str:
    """An id of ours in the 20 characters that references of payments have; always the same."""
    digest = hashlib.sha256(our_id.encode()).digest()
    return base64.b32encode(digest[:12]).decode("ascii").rstrip("=").lower()


def marked(payment: Payment) -> str:
    """The text that webhooks bring back."""
    return msgspec.json.encode(Mark(payment.payment_id, payment.capture_method)).decode()


def mark(text: str) -> Mark | None:
    """What we wrote; None where somebody else did, or nobody."""
    try:
        return _MARK.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None


def units(amount: Money, field: str) -> int:
    """The amount as PAYONE counts it.

    Raises:
        Rejected: There is nothing to move, or it is too fine or too much.
    """
    shift = scale(amount.currency) - _DECIMALS
    whole, rest = divmod(amount.minor * _tens(-shift), _tens(shift))
    if rest:
        raise Rejected(f"{field}: PAYONE takes two decimals only.", code="amount_too_fine")
    if not 1 <= whole <= _MOST:
        raise Rejected(f"{field}: PAYONE does not take such an amount.", code="amount_invalid")
    return whole


def minor(value: int, currency: str) -> int:
    """An amount of theirs in the smallest unit of ISO 4217.

    Raises:
        UnreadableError: No such currency, or a fraction that cannot be paid.
    """
    try:
        shift = scale(currency) - _DECIMALS
    except ValueError as error:
        raise UnreadableError("PAYONE's currency is unknown.", code="unreadable") from error
    whole, rest = divmod(value * _tens(shift), _tens(-shift))
    if rest or value < 0:
        raise UnreadableError("PAYONE's amount cannot be read.", code="unreadable")
    return whole


def _tens(places: int) -> int:
    return int(10 ** max(places, 0))


def money(amount: Amount) -> Money:
    """The same as an amount of ours."""
    return Money(minor(amount.amount, amount.currency_code), amount.currency_code)
