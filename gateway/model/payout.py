"""A payout: money that we send to somebody, and what became of it."""

from enum import StrEnum
from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta

from gateway.model.money import Money
from gateway.model.payment import Kept, PaymentFailure
from gateway.model.personal import Guarded
from gateway.model.states import Machine


class PayoutState(StrEnum):
    """Where a payout stands.

    PENDING is taken and on its way to the provider, SENT is taken by the provider or stands in a
    file for the bank, which may ask back before it pays. RETURNED came back to us after it was
    sent.
    """

    PENDING = "PENDING"
    AWAITING_VERIFICATION = "AWAITING_VERIFICATION"
    AWAITING_APPROVAL = "AWAITING_APPROVAL"
    SENT = "SENT"
    PAID = "PAID"
    CANCELLED = "CANCELLED"
    FAILED = "FAILED"
    RETURNED = "RETURNED"


_S = PayoutState
_SAID = frozenset({_S.SENT, _S.PAID, _S.CANCELLED, _S.FAILED, _S.RETURNED})
PAYOUT_STATES: Machine[PayoutState] = Machine(
    "payout",
    _S.PENDING,
    {
        _S.PENDING: frozenset({_S.AWAITING_VERIFICATION, _S.AWAITING_APPROVAL, *_SAID}),
        # A bank that has it in a file verifies the payee then; whatever we say, it may pay.
        _S.AWAITING_VERIFICATION: frozenset({_S.PENDING, _S.AWAITING_APPROVAL, *_SAID}),
        _S.AWAITING_APPROVAL: frozenset({_S.PENDING, _S.AWAITING_VERIFICATION, *_SAID}),
        _S.SENT: frozenset({_S.AWAITING_VERIFICATION, _S.AWAITING_APPROVAL, *(_SAID - {_S.SENT})}),
        # Banks send money back days later, and some providers call that failed.
        _S.PAID: frozenset({_S.FAILED, _S.RETURNED}),
        # Money that moved has the last word, whatever was said before.
        _S.CANCELLED: frozenset({_S.PAID, _S.FAILED, _S.RETURNED}),
        # A bank may refuse a file and pay it all the same, for example when it is brought again.
        _S.FAILED: frozenset({_S.PAID, _S.RETURNED}),
        _S.RETURNED: frozenset(),
    },
)


class DestinationKind(StrEnum):
    """What money can be sent to."""

    ACCOUNT = "ACCOUNT"
    EMAIL = "EMAIL"
    IBAN = "IBAN"


class Destination(Guarded, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whom money is sent to: a member, an account at the provider, an e-mail address or an IBAN.

    Attributes:
        member_id: A member of ours, who has an account at the provider.
        account: The account at the provider.
        email: Of a wallet; shown by its first letter and its domain.
        iban: Of a bank account; shown by its ends.
        bic: Only needed for accounts outside the European Economic Area.
        name: Whose bank account it is.
    """

    personal: ClassVar[frozenset[str]] = frozenset({"email", "iban", "bic", "name"})

    member_id: Annotated[str, Meta(max_length=64, pattern="^[A-Za-z0-9._-]*$")] = ""
    account: Annotated[str, Meta(max_length=64, pattern="^[A-Za-z0-9._-]*$")] = ""
    email: Annotated[
        str, Meta(max_length=127, pattern=r"^([^@\s\x00-\x1f]+@[^@\s\x00-\x1f]+)?$")
    ] = ""
    iban: Annotated[str, Meta(max_length=42, pattern="^[A-Za-z0-9 *]*$")] = ""
    bic: Annotated[str, Meta(max_length=11, pattern="^[A-Z0-9]*$")] = ""
    name: Annotated[str, Meta(max_length=70, pattern=r"^[^\x00-\x1f\x7f]*$")] = ""

    @property
    def kind(self) -> DestinationKind:
        """Which of them it is; a member is an account."""
        if self.iban:
            return DestinationKind.IBAN
        return DestinationKind.EMAIL if self.email else DestinationKind.ACCOUNT


class PayeeMatch(StrEnum):
    """Whether a name belongs to an IBAN, as the payee's bank says; ISO 20022 codes.

    RCVC matches, RVMC nearly matches, RVNM does not match, of RVNA nobody can tell.
    """

    RCVC = "RCVC"
    RVMC = "RVMC"
    RVNM = "RVNM"
    RVNA = "RVNA"


class PayeeVerification(Guarded, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the payee's bank said of a name and an IBAN (verification of payee).

    Attributes:
        name: How the account's holder is really called, where the match is close.
    """

    personal: ClassVar[frozenset[str]] = frozenset({"name"})

    result: PayeeMatch
    name: Annotated[str, Meta(max_length=140, pattern=r"^[^\x00-\x1f\x7f]*$")] = ""


class ProviderPayout(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider says about a payout: an answer or a look-up.

    Attributes:
        state: SENT, PAID, CANCELLED, FAILED or RETURNED; PENDING where it is promised and nobody
            was told.
        amount: What is sent, as the provider has it.
    """

    provider_ref: str
    state: PayoutState
    amount: Money
    failure: PaymentFailure | None = None


class Payout(msgspec.Struct, frozen=True, kw_only=True):
    """Money on its way to somebody.

    Attributes:
        payout_id: Ours; the provider keeps it in a field of its own.
        provider: The configured system that sends it.
        reference: The front-end's own number.
        text: What the payee reads.
        batch_id: The front-end's own id of the payouts that belong together.
        wallet: The member out of whose wallet it is paid; empty for the platform's own money.
        requested_by, approved_by: Clients of the facade; never the same where two are needed.
        requested_at: ISO 8601 in UTC.
        verification: What the payee's bank said of the name; None before, and without an IBAN.
        submitted_at: When it was written into a file for a bank, ISO 8601 in UTC; empty before,
            and where nobody is told in files. From then on only the bank can stop it.
        released_by: Who agreed to it in spite of its verification, while the bank had it.
    """

    payout_id: str
    amount: Money
    destination: Destination
    reference: str = ""
    text: str = ""
    provider: Kept[str]
    batch_id: Kept[str] = ""
    wallet: Kept[str] = ""
    requested_by: Kept[str]
    requested_at: Kept[str]
    approved_by: Kept[str] = ""
    state: Kept[PayoutState] = PayoutState.PENDING
    verification: Kept[PayeeVerification | None] = None
    submitted_at: Kept[str] = ""
    released_by: Kept[str] = ""
    provider_ref: Kept[str] = ""
    failure: Kept[PaymentFailure | None] = None


class NewPayout(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A payout that a front-end asks for.

    Attributes:
        provider: The system whose balance it comes from.
        text: What the payee reads, where there is room.
        reference: The front-end's own number.
        batch_id: The front-end's own id of the payouts that belong together.
        wallet: The member out of whose wallet it is paid; empty for the platform's own money.
    """

    provider: Annotated[str, Meta(min_length=1, max_length=40, pattern="^[a-z0-9_-]+$")]
    amount: Money
    destination: Destination
    text: Annotated[str, Meta(max_length=140, pattern=r"^[^\x00-\x1f\x7f]*$")] = ""
    reference: Annotated[str, Meta(max_length=35, pattern="^[A-Za-z0-9._/-]*$")] = ""
    batch_id: Annotated[str, Meta(max_length=64, pattern="^[A-Za-z0-9._-]*$")] = ""
    wallet: Annotated[str, Meta(max_length=64, pattern="^[A-Za-z0-9._-]*$")] = ""


class PayoutCancellation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """That a payout is given up.

    Attributes:
        withdrawn: Somebody has had the bank withdraw it, which has it in a file.
    """

    withdrawn: bool = False


class PayoutBatch(msgspec.Struct, frozen=True, kw_only=True):
    """The payouts that belong together.

    Attributes:
        counts: How many are in each state.
        sums: What they come to in each state: state to amounts, one for each currency.
        payouts: Their ids, oldest first.
    """

    batch_id: str
    counts: dict[str, int]
    sums: dict[str, tuple[Money, ...]]
    payouts: tuple[str, ...]
