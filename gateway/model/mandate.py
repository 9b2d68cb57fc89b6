"""A SEPA direct debit mandate: a debtor's permission to collect, and what became of it."""

from datetime import date
from enum import StrEnum
from typing import Annotated, ClassVar

from msgspec import Meta

from gateway.model.personal import Guarded
from gateway.model.states import Machine

Reference = Annotated[str, Meta(min_length=1, max_length=35)]
Name = Annotated[str, Meta(min_length=1, max_length=70)]


class MandateState(StrEnum):
    """Where a mandate stands."""

    DRAFT = "DRAFT"
    PENDING = "PENDING"
    ACTIVE = "ACTIVE"
    SUSPENDED = "SUSPENDED"
    REVOKED = "REVOKED"
    EXPIRED = "EXPIRED"
    FAILED = "FAILED"


_S = MandateState
MANDATE_STATES: Machine[MandateState] = Machine(
    "mandate",
    _S.DRAFT,
    {
        # Signed; a B2B mandate stays pending until the debtor's bank has it too.
        _S.DRAFT: frozenset({_S.PENDING, _S.ACTIVE, _S.REVOKED, _S.FAILED}),
        _S.PENDING: frozenset({_S.ACTIVE, _S.REVOKED, _S.EXPIRED, _S.FAILED}),
        # Providers collect before the payer's bank has spoken; it can still refuse.
        _S.ACTIVE: frozenset({_S.SUSPENDED, _S.REVOKED, _S.EXPIRED, _S.FAILED}),
        _S.SUSPENDED: frozenset({_S.ACTIVE, _S.REVOKED, _S.EXPIRED, _S.FAILED}),
        _S.REVOKED: frozenset(),
        _S.EXPIRED: frozenset(),
        _S.FAILED: frozenset(),
    },
)


class Scheme(StrEnum):
    """Whose rules a direct debit follows: of consumers, or of debtors that are none."""

    CORE = "CORE"
    B2B = "B2B"


class SequenceType(StrEnum):
    """Which of the collections of a mandate this is; ISO 20022 ``SeqTp``."""

    FRST = "FRST"
    RCUR = "RCUR"
    FNAL = "FNAL"
    OOFF = "OOFF"


class Amendment(Guarded, frozen=True, kw_only=True):
    """What of a mandate was changed and no bank was told yet; None where it is as it was.

    Attributes:
        mandate_id: The reference before.
        creditor_id: The creditor identifier before.
        creditor_name: The creditor's name before.
        has_new_account: The debtor's account is another one.
    """

    mandate_id: Reference | None = None
    creditor_id: Reference | None = None
    creditor_name: Name | None = None
    has_new_account: bool = False


class Mandate(Guarded, frozen=True, kw_only=True):
    """One mandate.

    Attributes:
        mandate_id: The reference that the debtor signed; unique for its creditor.
        system: The configured system that collects by it.
        account: Name of the bank account of ours that it was given for.
        customer_id: The front-end's id of the debtor; empty where nobody said.
        creditor_id: The creditor identifier that it was given to.
        bic: Only needed for accounts outside the European Economic Area.
        signed_at: The day of the signature.
        signature_type: How it was given: ``paper``, ``electronic`` …
        sequence_type: OOFF for a single collection, RCUR for several.
        last_used_at: Due date of the last collection.
        amended_from: What the next collection has to tell the debtor's bank.
        told: What the last amended collection has told, until another one tells more.
        told_with: The end-to-end id of that collection.
        notice_days: Days before the due date by which the debtor is told; 14 unless agreed shorter.
    """

    personal: ClassVar[frozenset[str]] = frozenset({"debtor_name", "iban", "bic"})

    mandate_id: str
    system: str = ""
    account: str = ""
    customer_id: str = ""
    scheme: Scheme = Scheme.CORE
    creditor_id: str
    debtor_name: str
    iban: str
    bic: str | None = None
    signed_at: date
    signature_type: str
    sequence_type: SequenceType = SequenceType.RCUR
    last_used_at: date | None = None
    amended_from: Amendment | None = None
    told: Amendment | None = None
    told_with: str = ""
    notice_days: int = 14
    state: MandateState = MandateState.DRAFT
