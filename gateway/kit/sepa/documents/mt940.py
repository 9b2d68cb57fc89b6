"""Statements of banks in MT940 and MT942, read by the library mt-940 (BSD).

Each statement of a file is read by itself, so that one that is broken spoils no other. The library
opens a file if its input happens to be a file's name; it is therefore never given the input by the
function that does so.

Source: DK data format agreement, annex 3, chapter 8 (field 86: GVC, ?20 to ?63); reasons of returns
in ?34 are 901, 903 and 914 in samples of banks and 912 on wikipayments.de; there are more.
"""

import datetime as dt
import logging
import re
from collections.abc import Iterator
from typing import Any, BinaryIO, Final

from gateway.errors import Rejected
from gateway.kit.sepa.documents import streams
from gateway.kit.sepa.documents.fields import amount
from gateway.kit.sepa.identifiers import REFERENCE_LENGTH
from gateway.model.bank import Direction, Entry, Problem
from gateway.model.money import Money

# A statement begins with its reference; blocks of SWIFT and blank lines may stand before it.
_STATEMENT: Final = re.compile(r"^:20:", re.MULTILINE)
_LINE: Final = re.compile(r"^:61:", re.MULTILINE)
_ACCOUNT: Final = re.compile(r"^:25[A-Z]?:(.+)$", re.MULTILINE)
# One statement is a few hundred lines; the library's patterns see it as a whole.
_LONGEST: Final = 4 * 1024 * 1024
_IBAN: Final = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")
_MESSAGE: Final = "MTLG:"
# GVC of returned direct debits, of B2B and CORE, and of returned transfers.
_RETURNS: Final = frozenset({"108", "109", "159"})
_REASONS: Final = {"901": "AC01", "903": "AC06", "912": "MD06", "914": "MS03"}
_NONE: Final = frozenset({"NONREF", "NOTPROVIDED"})


def read(source: BinaryIO, *, limit: int = streams.LIMIT) -> Iterator[Entry]:
    """The entries of a file, statement by statement.

    Raises:
        Rejected: It is no MT940, or too large.
    """
    data = source.read(limit + 1)
    if len(data) > limit:
        raise Rejected(f"The document has more than {limit} bytes.", code="document_too_large")
    statements = _statements(_decoded(data))
    if not statements:
        raise Rejected("The document is no MT940.", code="document_unknown")
    position = 0
    for statement in statements:
        for entry in _entries(statement, position):
            position = entry.position
            yield entry


def _statements(text: str) -> list[str]:
    starts = [match.start() for match in _STATEMENT.finditer(text)]
    if not starts:
        return [text] if _LINE.search(text) else []
    ends = [*starts[1:], len(text)]
    return [text[start:end] for start, end in zip(starts, ends, strict=True)]


def _decoded(data: bytes) -> str:
    """Banks write UTF-8 or the letters of western Europe; both keep what is ASCII."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("cp1252", "replace")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _entries(statement: str, before: int) -> Iterator[Entry]:
    from mt940.models import Transactions
    from mt940.options import Options

    if len(statement) > _LONGEST:
        yield _unreadable(before + 1, "too_large")
        return
    # The library logs what it cannot read: names, accounts and amounts of customers.
    logging.getLogger("mt940").setLevel(logging.CRITICAL + 1)
    found = Transactions(options=Options.all())
    try:
        found.parse(statement)
    except Exception:  # noqa: BLE001 - the library raises whatever its patterns run into
        yield _unreadable(before + 1, "unreadable")
        return
    account = _ACCOUNT.search(statement)
    known = account[1].strip() if account else ""
    for number, line in enumerate(found, before + 1):
        yield _entry(number, known, line.data)


def _unreadable(position: int, rule: str) -> Entry:
    problem = Problem(row=position, field="statement", rule=rule)
    return Entry(position=position, problems=(problem,))


def _entry(position: int, account: str, told: dict[str, Any]) -> Entry:
    problems: list[Problem] = []
    gvc, extension = _text(told, "transaction_code"), _text(told, "return_debit_notes")
    mark = _text(told, "status").upper()
    # RC takes back a credit, so it takes from the account.
    direction = {"C": Direction.CREDIT, "RD": Direction.CREDIT}.get(mark, Direction.DEBIT)
    # The library takes what follows a reference in the next subfield for a part of it.
    end_to_end_id, _, message = _reference(told, "end_to_end_reference").partition(_MESSAGE)
    if len(end_to_end_id) > REFERENCE_LENGTH:
        problems.append(Problem(row=position, field="end_to_end_id", rule="length"))
    # Only a structured field 86 says that the reference of a line is the one of our file.
    is_batch = bool(gvc) and not end_to_end_id
    money = _money(told.get("amount"), problems, position)
    return Entry(
        position=position,
        account_iban=account,
        amount=money,
        direction=direction if mark else None,
        is_reversal=mark.startswith("R"),
        booking_date=_day(told.get("entry_date")) or _day(told.get("date")),
        value_date=_day(told.get("date")),
        group_id=_group(told) if is_batch else "",
        end_to_end_id=end_to_end_id.strip(),
        mandate_id=_reference(told, "additional_position_reference"),
        creditor_id=_text(told, "applicant_creditor_id"),
        bank_reference=_reference(told, "bank_reference"),
        reason_code=_REASONS.get(extension, extension) if gvc in _RETURNS else "",
        bank_code=gvc or _text(told, "id"),
        remittance=_remittance(told, message),
        counterparty=" ".join(_text(told, "applicant_name").split()),
        counterparty_iban=_iban(told),
        problems=tuple(problems),
    )


def _group(told: dict[str, Any]) -> str:
    """The reference of a file; the library puts fields 61 and 86 one below the other."""
    return (_reference(told, "customer_reference").splitlines() or [""])[-1]


def _remittance(told: dict[str, Any], message: str) -> str:
    parts = [_text(told, name) for name in ("purpose", "additional_purpose")]
    return " ".join(filter(None, [*parts, message])) or _text(told, "transaction_details")


def _money(value: Any, problems: list[Problem], position: int) -> Money | None:
    try:
        return amount(str(abs(value.amount)), value.currency or "")
    except (AttributeError, ValueError):
        problems.append(Problem(row=position, field="amount", rule="unreadable"))
        return None


def _day(value: Any) -> dt.date | None:
    return dt.date(value.year, value.month, value.day) if isinstance(value, dt.date) else None


def _text(told: dict[str, Any], name: str) -> str:
    return str(told.get(name) or "").strip()


def _reference(told: dict[str, Any], name: str) -> str:
    found = _text(told, name)
    return "" if found in _NONE else found


def _iban(told: dict[str, Any]) -> str:
    for name in ("applicant_iban", "gvc_applicant_iban"):
        if (found := _text(told, name).replace(" ", "")) and _IBAN.fullmatch(found):
            return found
    return ""
