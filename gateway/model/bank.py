"""What is said to a bank and by a bank: collections, transfers, and the lines of its statements."""

import datetime as dt
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta

from gateway.model.mandate import Amendment, Name, Reference, Scheme, SequenceType
from gateway.model.money import Money
from gateway.model.personal import Guarded

IbanText = Annotated[str, Meta(min_length=15, max_length=34)]
BicText = Annotated[str, Meta(min_length=8, max_length=11)]
# Sums of files have no currency beside them: SEPA has only one.
Euros = Annotated[Decimal, Meta(extra_json_schema={"x-precision": 18, "x-scale": 2})]
Remittance = Annotated[str, Meta(min_length=1, max_length=140)]


class Deadline(msgspec.Struct, frozen=True, kw_only=True):
    """Until when a bank takes files; every bank has its own.

    Attributes:
        lead_days: TARGET days between the day of submission and the due date. The interbank rule
            is one day for CORE and B2B, any sequence; banks ask for up to two.
        cut_off: Time of day after which a file counts as of the next TARGET day.
        zone: Where that clock hangs.
    """

    lead_days: Annotated[int, Meta(ge=0, le=14)] = 1
    cut_off: dt.time = dt.time(10, 0)
    zone: str = "Europe/Berlin"


class NearDay(StrEnum):
    """What becomes of a collection whose day leaves less time than the debtor has to be told in.

    MOVE takes the first day that leaves it, REFUSE refuses a day that was named, OFF leaves it to
    whoever names the day.
    """

    MOVE = "move"
    REFUSE = "refuse"
    OFF = "off"


class BankAccount(msgspec.Struct, frozen=True, kw_only=True):
    """An account of our own, as an operator describes it.

    Attributes:
        name: Its owner, as the bank knows it.
        creditor_id: For collections.
        deadline: For collections.
        transfer_deadline: For transfers.
        batch_booking: One entry in the statement for a whole group, not one for each payment.
        names_first: The bank wants FRST for the first collection of a mandate.
        notice: Whether a due date that leaves less than the mandate's ``notice_days`` to tell the
            debtor is moved, refused, or taken (``off``).
    """

    name: Name
    iban: IbanText
    bic: BicText | None = None
    creditor_id: str = ""
    deadline: Deadline = Deadline()
    transfer_deadline: Deadline = Deadline(lead_days=0, cut_off=dt.time(14, 0))
    batch_booking: bool = True
    names_first: bool = False
    notice: NearDay = NearDay.OFF


class Collection(Guarded, frozen=True, kw_only=True):
    """One direct debit.

    Attributes:
        account: Name of the bank account of ours that collects.
        due: The collection date.
        remittance: What the debtor reads in the statement.
        amendment: What the debtor's bank has to be told of the mandate.
    """

    personal: ClassVar[frozenset[str]] = frozenset(
        {"debtor_name", "debtor_iban", "debtor_bic", "remittance"}
    )

    end_to_end_id: Reference
    account: str
    scheme: Scheme = Scheme.CORE
    sequence_type: SequenceType = SequenceType.RCUR
    due: dt.date
    amount: Money
    mandate_id: Reference
    signed_on: dt.date
    debtor_name: Name
    debtor_iban: IbanText
    debtor_bic: BicText | None = None
    remittance: Remittance | None = None
    amendment: Amendment | None = None


class Transfer(Guarded, frozen=True, kw_only=True):
    """One credit transfer.

    Attributes:
        account: Name of the bank account of ours that pays.
        due: The execution date.
        is_instant: To arrive within seconds.
    """

    personal: ClassVar[frozenset[str]] = frozenset(
        {"creditor_name", "creditor_iban", "creditor_bic", "remittance"}
    )

    end_to_end_id: Reference
    account: str
    is_instant: bool = False
    due: dt.date
    amount: Money
    creditor_name: Name
    creditor_iban: IbanText
    creditor_bic: BicText | None = None
    remittance: Remittance | None = None


class FileHead(msgspec.Struct, frozen=True, kw_only=True):
    """What stands at the top of a payment file; count and total are of all its groups."""

    message_id: Reference
    created_at: dt.datetime
    count: Annotated[int, Meta(ge=1, le=999_999_999_999_999)]
    total: Euros
    initiator: Name


class CollectionGroup(msgspec.Struct, frozen=True, kw_only=True):
    """Collections of one account, scheme, sequence type and due date."""

    group_id: Reference
    batch_booking: bool
    count: Annotated[int, Meta(ge=1, le=999_999_999_999_999)]
    total: Euros
    scheme: Scheme
    sequence_type: SequenceType
    due: dt.date
    name: Name
    iban: IbanText
    bic: BicText | None
    creditor_id: Reference


class TransferGroup(msgspec.Struct, frozen=True, kw_only=True):
    """Transfers of one account, kind and due date."""

    group_id: Reference
    batch_booking: bool
    count: Annotated[int, Meta(ge=1, le=999_999_999_999_999)]
    total: Euros
    is_instant: bool
    due: dt.date
    name: Name
    iban: IbanText
    bic: BicText | None


class WrittenGroup(msgspec.Struct, frozen=True, kw_only=True):
    """A group of a file, to explode batch bookings by."""

    group_id: str
    account: str
    due: dt.date
    count: int
    total: Decimal


class WrittenFile(msgspec.Struct, frozen=True, kw_only=True):
    """What was written."""

    message_id: str
    count: int
    total: Decimal
    groups: tuple[WrittenGroup, ...]


class Direction(StrEnum):
    """Whether an entry adds to the account or takes from it."""

    CREDIT = "credit"
    DEBIT = "debit"


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong with a row of a file; the value itself is not repeated.

    Attributes:
        row: From 1; 0 for the file as a whole.
        field: As our model names it.
        rule: Stable name of the rule that is broken.
        detail: A sentence for people.
    """

    row: int
    field: str
    rule: str
    detail: str = ""


class Entry(Guarded, frozen=True, kw_only=True):
    """One line of a statement, or one payment inside a line that books several.

    Attributes:
        position: Of the line in the document, from 1.
        account_iban: Ours, as the document names it.
        amount: What moved on the account; with charges that the bank kept.
        original_amount: Of the payment that came back, where it differs.
        is_reversal: The bank takes back an entry of its own.
        is_booked: False for what is only announced.
        batch_count: Payments that the line stands for, where it books several and names none.
        bank_reference: The bank's own for the line.
        creditor_reference: Of ISO 11649, where the remittance is structured.
        reason_code: Of a return, as the bank wrote it.
        bank_code: What kind of business it was, in the bank's code.
        counterparty: Name of whoever paid or was paid.
        problems: What could not be read, each with field and rule.
    """

    personal: ClassVar[frozenset[str]] = frozenset(
        {"account_iban", "remittance", "counterparty", "counterparty_iban"}
    )

    position: int
    account_iban: str = ""
    amount: Money | None = None
    original_amount: Money | None = None
    direction: Direction | None = None
    is_reversal: bool = False
    is_booked: bool = True
    booking_date: dt.date | None = None
    value_date: dt.date | None = None
    message_id: str = ""
    group_id: str = ""
    end_to_end_id: str = ""
    mandate_id: str = ""
    creditor_id: str = ""
    bank_reference: str = ""
    creditor_reference: str = ""
    batch_count: int = 0
    reason_code: str = ""
    bank_code: str = ""
    remittance: str = ""
    counterparty: str = ""
    counterparty_iban: str = ""
    problems: tuple[Problem, ...] = ()


class PaymentStatus(Guarded, frozen=True, kw_only=True):
    """What a bank says about a file, one of its groups, or one of its payments (pain.002).

    Attributes:
        status: ISO code such as ACCP, PART, RJCT; or of a verification of payee: RCVC, RVMC,
            RVNM, RVNA.
        counts: Of a verification, how many payments have which status.
        texts: What the bank adds in words.
    """

    personal: ClassVar[frozenset[str]] = frozenset({"texts", "counterparty"})

    message_id: str
    group_id: str = ""
    end_to_end_id: str = ""
    status: str = ""
    reason_code: str = ""
    amount: Money | None = None
    mandate_id: str = ""
    counterparty: str = ""
    counts: tuple[tuple[str, int], ...] = ()
    texts: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()


class BankLine(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a bank says in a file: a line of a statement, or the status of a payment.

    Attributes:
        nth: How many lines of the file were the same before this one.
    """

    entry: Entry | None = None
    status: PaymentStatus | None = None
    nth: int = 0
