"""A payment: one intended collection, its attempts and what became of the money."""

from enum import StrEnum
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta

from gateway.model.bank_account import BankAccount
from gateway.model.dispute import Dispute
from gateway.model.item import OrderItem
from gateway.model.money import Money
from gateway.model.movement import Movement, MovementKind, MovementState
from gateway.model.party import Party
from gateway.model.route import Route
from gateway.model.split import Split, SplitMode
from gateway.model.states import Machine

T = TypeVar("T")
# What we keep of a payment and no provider is told; mappings need not say that they leave it out.
Kept = Annotated[T, Meta(extra_json_schema={"readOnly": True})]


class PaymentState(StrEnum):
    """Where a payment stands.

    Amounts given back, returned or disputed are facets; RETURNED means that nothing is left of
    what was collected, DISPUTED that somebody claims a part of it.
    """

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
        # Some providers take a capture back days later.
        _S.CAPTURED: frozenset({_S.SETTLED, _S.RETURNED, _S.DISPUTED, _S.FAILED}),
        _S.SETTLED: frozenset({_S.RETURNED, _S.DISPUTED, _S.FAILED}),
        # Money that moved has the last word, whatever was said before; CREATED is another attempt.
        _S.FAILED: frozenset({_S.CREATED, _S.CANCELLED, _S.CAPTURED}),
        _S.CANCELLED: frozenset({_S.CAPTURED}),
        # A return can be taken back, and a dispute be won.
        _S.RETURNED: frozenset({_S.CAPTURED, _S.SETTLED}),
        _S.DISPUTED: frozenset({_S.RETURNED, _S.CAPTURED, _S.SETTLED}),
    },
)


_MOVED = {
    _S.PENDING: MovementState.PENDING,
    _S.SETTLED: MovementState.DONE,
    _S.FAILED: MovementState.UNDONE,
}


class AttemptState(StrEnum):
    """What is known of one attempt to move money.

    PREPARED is committed before anything is sent, so it may have been sent (ADR 0025); UNKNOWN
    says that it may have happened and is being looked up. NOT_EXECUTED did surely not happen.
    """

    PREPARED = "PREPARED"
    SUCCEEDED = "SUCCEEDED"
    DECLINED = "DECLINED"
    NOT_EXECUTED = "NOT_EXECUTED"
    PENDING = "PENDING"
    CANCELLED = "CANCELLED"
    UNKNOWN = "UNKNOWN"


class CaptureMethod(StrEnum):
    """Whether an authorisation is collected at once or by a later call."""

    AUTOMATIC = "automatic"
    MANUAL = "manual"


class ActionKind(StrEnum):
    """What the payer has to do, and so what a front-end has to show."""

    REDIRECT = "REDIRECT"
    QR_CODE = "QR_CODE"
    VOUCHER = "VOUCHER"
    TRANSFER = "TRANSFER"
    APP = "APP"


class NextAction(msgspec.Struct, frozen=True, kw_only=True):
    """What the payer has to do before the payment goes on.

    Attributes:
        url: Where to send the payer, or the page with the voucher; empty where there is none.
        details: What to show: ``reference``, ``iban``, ``bic``, ``qr_code``, ``entity``.
        expires_at: Until when it can be done, ISO 8601; empty where the provider does not say.
    """

    kind: ActionKind
    url: str = ""
    details: dict[str, str] = {}
    expires_at: str = ""


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
        key: The idempotency key the provider was given; the same on every repetition, another for
            each attempt.
        provider: The system that was asked.
    """

    attempt_id: str
    key: str
    state: AttemptState
    provider: str = ""
    provider_ref: str = ""
    failure: PaymentFailure | None = None


class ProviderPayment(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider says about a payment: an answer, a look-up or a webhook.

    Attributes:
        provider_ref: The provider's id of the payment.
        state: How far the collection is; what became of the money later are movements, so neither
            RETURNED nor DISPUTED.
        amount: What was asked for, as the provider has it.
        captured: Collected so far, in the payment's currency, as the provider counts.
        refunded: Given back so far, as the provider counts.
        movements: What the provider tells of one by one.
    """

    provider_ref: str
    state: PaymentState
    amount: Money
    captured: Money
    refunded: Money
    movements: tuple[Movement, ...] = ()
    failure: PaymentFailure | None = None
    next_action: NextAction | None = None


class ProviderRefund(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider says about a refund.

    Attributes:
        state: PENDING, SETTLED or FAILED.
    """

    provider_ref: str
    state: PaymentState
    amount: Money
    failure: PaymentFailure | None = None

    @property
    def movement(self) -> Movement:
        """The same as a movement of the payment."""
        return Movement(
            kind=MovementKind.REFUND,
            ref=self.provider_ref,
            state=_MOVED[self.state],
            amount=self.amount,
            reason_code=self.failure.provider_code if self.failure else "",
        )


class RefundState(StrEnum):
    """Where a refund stands; what its provider did not confirm is CREATED.

    CANCELLED is what we did not want any more, and stayed ours.
    """

    CREATED = "CREATED"
    PENDING = "PENDING"
    SETTLED = "SETTLED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


class WishState(StrEnum):
    """What became of the wish to collect an authorised amount, to raise it, or to give it up.

    PENDING is only where a provider takes a wish and decides about it later.
    """

    CREATED = "CREATED"
    PENDING = "PENDING"
    DONE = "DONE"
    FAILED = "FAILED"


class Capture(msgspec.Struct, frozen=True, kw_only=True):
    """A part of an authorised payment that was to be collected.

    Attributes:
        requested_at: ISO 8601 in UTC.
    """

    capture_id: str
    amount: Money
    requested_at: str
    state: WishState = WishState.CREATED
    failure: PaymentFailure | None = None


class AmountUpdate(msgspec.Struct, frozen=True, kw_only=True):
    """A wish that more may be collected of an authorised payment.

    Attributes:
        amount: All that may be collected then.
        requested_at: ISO 8601 in UTC.
        provider_ref: Of the movement that says what became of it; empty where the payment itself
            says it.
    """

    update_id: str
    amount: Money
    requested_at: str
    state: WishState = WishState.CREATED
    provider_ref: str = ""
    failure: PaymentFailure | None = None


class Confirmation(msgspec.Struct, frozen=True, kw_only=True):
    """The wish that a provider goes on with what the payer brought back.

    Attributes:
        requested_at: ISO 8601 in UTC.
    """

    confirmation_id: str
    requested_at: str
    state: WishState = WishState.CREATED
    failure: PaymentFailure | None = None


class Cancellation(msgspec.Struct, frozen=True, kw_only=True):
    """The wish to give up what was not collected.

    Attributes:
        requested_at: ISO 8601 in UTC.
    """

    cancellation_id: str
    requested_at: str
    state: WishState = WishState.CREATED
    failure: PaymentFailure | None = None


_R = RefundState
REFUND_STATES: Machine[RefundState] = Machine(
    "refund",
    _R.CREATED,
    {
        _R.CREATED: frozenset({_R.PENDING, _R.SETTLED, _R.FAILED}),
        _R.PENDING: frozenset({_R.SETTLED, _R.FAILED, _R.CANCELLED}),
        # Banks send refunds back days later.
        _R.SETTLED: frozenset({_R.FAILED}),
        # The provider's notification may be heard before its answer to the cancellation.
        _R.FAILED: frozenset({_R.CANCELLED}),
        _R.CANCELLED: frozenset(),
    },
)


class Refund(msgspec.Struct, frozen=True, kw_only=True):
    """Money on its way back to the payer.

    Attributes:
        requested_at: ISO 8601 in UTC.
        state: That of the movement with the provider's reference, once there is one.
        cancellations: How often we were asked not to give it back after all, oldest first.
    """

    refund_id: str
    payment_id: str
    amount: Money
    reason: str = ""
    requested_at: str
    state: RefundState = RefundState.CREATED
    provider_ref: str = ""
    cancellations: tuple[Cancellation, ...] = ()
    failure: PaymentFailure | None = None


class DebitNotice(msgspec.Struct, frozen=True, kw_only=True):
    """What a debtor has to be told before a collection by a mandate of ours.

    Attributes:
        due: The collection date, a day on which banks settle; ISO 8601.
        tell_by: The last day that leaves the time agreed in the mandate; it may be over.
    """

    due: str
    amount: Money
    creditor_id: str
    mandate_reference: str
    tell_by: str


class Payment(msgspec.Struct, frozen=True, kw_only=True):
    """One intended collection.

    Attributes:
        payment_id: Ours; the provider keeps it in a field that it can search.
        order_id: Of the order that is paid; empty for a payment of its own.
        method_code: Canonical method, such as ``card``.
        token: The provider's token of the instrument; never a card or account number.
        mandate_id: The mandate by which a debit is collected.
        due: When it is to be collected, ISO 8601; empty for as soon as it can.
        return_url: Where the payer comes back to from a provider's page.
        reference: The front-end's own number.
        bank_account: From where it is paid, where the method needs it; what is shown of it. The
            whole of it lies beside the payment until the provider has it.
        payer, items: Only where the method needs them: what is not needed is not kept twice.
        splits: Whose the money is; empty where it is all ours.
        split_mode: When the parts come to whom they belong.
        wallet_splits: Whose the money is by the ledger here; the provider is told nothing of it.
        release_on: The day from which on it can be paid out of wallets, ISO 8601; empty for
            ``final_at``.
        transfers: Ids of those by which members got their parts, oldest first.
        customer_id: The front-end's id of the payer; empty where nobody is known.
        country: Of the payer, ISO 3166-1 alpha-2; empty where it is not known.
        channel: Of the order; empty for a payment of its own.
        provider: The configured system that collects; before one is chosen the one that was asked
            for, or empty.
        requested_at: When the payment was first prepared, ISO 8601 in UTC.
        progress: The furthest that the provider said of the collection; ``state`` adds what
            became of the money.
        captured: Collected, in the payment's currency, without what the provider took back.
        refunded: What we gave back.
        returned: What the payer's bank or issuer took back.
        disputed: What is claimed and not decided.
        movements: What was reported of the money, in a fixed order; the facets are their sums.
        adjustable: Whether what is authorised may be raised later.
        authorised: What may be collected in all, once it was raised above ``amount``.
        unconfirmed: Whether it waits for the front-end's confirmation; nothing was sent.
        confirmations: How often a payer came back with something for the provider, oldest first.
        captures: What of an authorisation we were asked to collect, oldest first.
        amount_updates: To what we were asked to raise it, oldest first.
        cancellations: How often we were asked to give it up, oldest first.
        refunds: What we were asked to give back, oldest first.
        disputes: What is or was claimed back, and what we answered.
        authorised_at, captured_at: The earliest word of it, ISO 8601 in UTC; empty before.
        final_at: The day after which the payer can take nothing back as a matter of course;
            empty before it is collected, and where it cannot be said.
        next_action: What the payer has to do, in REQUIRES_ACTION; in PENDING where to transfer
            the money to.
        debit_notice: What the debtor has to be told; only of a debit by a mandate of ours.
        route: Why this provider; None for payments of before there was a choice.
    """

    payment_id: str
    order_id: str = ""
    amount: Money
    method_code: str
    token: str = ""
    capture_method: CaptureMethod
    mandate_id: str = ""
    due: str = ""
    return_url: str = ""
    reference: str = ""
    payer: Party | None = None
    items: tuple[OrderItem, ...] = ()
    splits: tuple[Split, ...] = ()
    adjustable: Kept[bool] = False
    split_mode: Kept[SplitMode] = SplitMode.AT_PAYMENT
    wallet_splits: Kept[tuple[Split, ...]] = ()
    release_on: Kept[str] = ""
    transfers: Kept[tuple[str, ...]] = ()
    bank_account: Kept[BankAccount | None] = None
    customer_id: Kept[str] = ""
    country: Kept[str] = ""
    channel: Kept[str] = ""
    provider: Kept[str] = ""
    requested_at: Kept[str]
    state: Kept[PaymentState] = PaymentState.CREATED
    provider_ref: Kept[str] = ""
    progress: Kept[PaymentState] = PaymentState.CREATED
    captured: Kept[Money]
    refunded: Kept[Money]
    returned: Kept[Money]
    disputed: Kept[Money]
    movements: Kept[tuple[Movement, ...]] = ()
    authorised: Kept[Money | None] = None
    unconfirmed: Kept[bool] = False
    confirmations: Kept[tuple[Confirmation, ...]] = ()
    captures: Kept[tuple[Capture, ...]] = ()
    amount_updates: Kept[tuple[AmountUpdate, ...]] = ()
    cancellations: Kept[tuple[Cancellation, ...]] = ()
    refunds: Kept[tuple[Refund, ...]] = ()
    disputes: Kept[tuple[Dispute, ...]] = ()
    authorised_at: Kept[str] = ""
    captured_at: Kept[str] = ""
    final_at: Kept[str] = ""
    failure: Kept[PaymentFailure | None] = None
    next_action: Kept[NextAction | None] = None
    debit_notice: Kept[DebitNotice | None] = None
    route: Kept[Route | None] = None
    attempts: Kept[tuple[PaymentAttempt, ...]] = ()

    @property
    def business_id(self) -> str:
        """In whose timeline the payment stands: its order's, or its own."""
        return self.order_id or self.payment_id

    @property
    def ceiling(self) -> Money:
        """All that may be collected."""
        return self.authorised or self.amount

    @property
    def amounts(self) -> frozenset[Money]:
        """What a provider may say that was asked for: at first, and by each wish to raise it."""
        return frozenset({self.amount, *(one.amount for one in self.amount_updates)})
