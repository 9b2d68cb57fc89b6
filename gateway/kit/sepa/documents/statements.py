"""Statements and advices of banks: camt.052, camt.053 and camt.054, any version.

A line that cannot be read is given with its problems, and the next one is read. A line with several
payments is one entry each; a line that only names its group stays one entry.

Source: ISO 20022 message definitions camt.052/053/054.001.02 and .08.
"""

from collections.abc import Iterator
from typing import BinaryIO, Final

from gateway.errors import Rejected
from gateway.kit.sepa import reasons
from gateway.kit.sepa.documents import streams
from gateway.kit.sepa.documents.fields import Fields, first, reference
from gateway.kit.sepa.documents.streams import Texts
from gateway.model.bank import Direction, Entry

_KEPT: Final = frozenset({"Acct", "Ntry"})
_PAYMENTS: Final = frozenset({"TxDtls"})
_MESSAGES: Final = frozenset(
    {"BkToCstmrAcctRpt", "BkToCstmrStmt", "BkToCstmrDbtCdtNtfctn"}  # camt.052, .053, .054
)
_BATCH: Final = "NtryDtls/Btch"
_DIRECTIONS: Final = {"CRDT": Direction.CREDIT, "DBIT": Direction.DEBIT}


def read(source: BinaryIO, *, limit: int = streams.LIMIT) -> Iterator[Entry]:
    """The entries of a document, one by one.

    Raises:
        Rejected: It is no such document, or not well-formed, hostile or too large; the entries
            before the place are given all the same.
    """
    reader, known = _Lines(), False
    for found in streams.elements(source, _KEPT, ends=_MESSAGES, inner=_PAYMENTS, limit=limit):
        if found.name == "Acct":
            reader.account = first(found.texts, "Id/IBAN", "Id/Othr/Id")
        elif found.name == "Ntry":
            yield from reader.end(found.texts)
        elif found.parent == "Ntry":
            yield from reader.payment(found.texts, found.around)
        elif found.name in _MESSAGES:
            known = True
    if not known:
        message = "The document is neither camt.052 nor camt.053 nor camt.054."
        raise Rejected(message, code="document_unknown")


def returned(entry: Entry) -> reasons.Reason | None:
    """Why the money of a collection came back; None if the entry is no return of one."""
    if not entry.reason_code or entry.direction is not Direction.DEBIT:
        return None
    return reasons.of(entry.reason_code)


class _Lines:
    """Puts payments and the lines around them together, as they come.

    Attributes:
        account: The one that the lines are about.
    """

    def __init__(self) -> None:
        self.account = ""
        self._position = 1
        self._count = 0
        self._held: Texts = {}

    def payment(self, one: Texts, line: Texts) -> Iterator[Entry]:
        """A payment, while its line has not ended; the first waits, for it may be the only one."""
        self._count += 1
        if self._count == 1:
            self._held = one
            return
        if self._held:
            yield _entry(self._position, self.account, line, self._held, is_alone=False)
            self._held = {}
        yield _entry(self._position, self.account, line, one, is_alone=False)

    def end(self, line: Texts) -> Iterator[Entry]:
        """The line itself, if it has no payment or only one."""
        if self._count <= 1:
            yield _entry(self._position, self.account, line, self._held, is_alone=True)
        self._position, self._count, self._held = self._position + 1, 0, {}


def _entry(position: int, account: str, line: Texts, one: Texts, *, is_alone: bool) -> Entry:
    """One payment of a line; the line itself where it names none."""
    fields = Fields(position)
    if is_alone:
        amount = fields.money(line, "amount", "Amt")
    else:
        amount = fields.money(one, "amount", "Amt", "AmtDtls/TxAmt/Amt", "AmtDtls/InstdAmt/Amt")
    if amount is None and not fields.problems:
        fields.problem("amount", "missing")
    direction = _DIRECTIONS.get(first(one, "CdtDbtInd") or first(line, "CdtDbtInd"))
    if direction is None:
        fields.problem("direction", "missing")
    original = fields.money(one, "original_amount", "AmtDtls/InstdAmt/Amt")
    other = _other(direction, is_return=any(path.startswith("RtrInf") for path in one))
    end_to_end_id = reference(one, "Refs/EndToEndId")
    payments = first(line, f"{_BATCH}/NbOfTxs")
    return Entry(
        position=position,
        account_iban=account,
        amount=amount,
        original_amount=None if original == amount else original,
        direction=direction,
        is_reversal=first(line, "RvslInd") in {"true", "1"},
        is_booked=first(line, "Sts/Cd", "Sts") in {"BOOK", ""},
        booking_date=fields.date(line, "booking_date", "BookgDt"),
        value_date=fields.date(line, "value_date", "ValDt"),
        message_id=reference(one, "Refs/MsgId") or reference(line, f"{_BATCH}/MsgId"),
        group_id=reference(one, "Refs/PmtInfId") or reference(line, f"{_BATCH}/PmtInfId"),
        end_to_end_id=end_to_end_id,
        mandate_id=reference(one, "Refs/MndtId"),
        creditor_id=_party(one, "Cdtr", "Id/PrvtId/Othr/Id"),
        bank_reference=reference(one, "Refs/AcctSvcrRef") or reference(line, "AcctSvcrRef"),
        creditor_reference=first(one, "RmtInf/Strd/CdtrRefInf/Ref"),
        batch_count=0 if end_to_end_id else fields.count(payments, "batch_count"),
        reason_code=first(one, "RtrInf/Rsn/Cd", "RtrInf/Rsn/Prtry"),
        bank_code=_bank_code(one) or _bank_code(line),
        remittance=_remittance(line, one),
        counterparty=_party(one, other, "Nm") or _party(one, f"Ultmt{other}", "Nm"),
        counterparty_iban=first(
            one, f"RltdPties/{other}Acct/Id/IBAN", f"RltdPties/{other}Acct/Id/Othr/Id"
        ),
        problems=tuple(fields.problems),
    )


def _other(direction: Direction | None, *, is_return: bool) -> str:
    """Who is not us: the parties of a return are those of the payment that came back."""
    pays_us = (direction is Direction.CREDIT) is not is_return
    return "Dbtr" if pays_us else "Cdtr"


def _party(one: Texts, role: str, path: str) -> str:
    """Something of a party; since 2019 it stands one element deeper."""
    return first(one, f"RltdPties/{role}/{path}", f"RltdPties/{role}/Pty/{path}")


def _bank_code(texts: Texts) -> str:
    if found := first(texts, "BkTxCd/Prtry/Cd"):
        return found
    parts = (first(texts, f"BkTxCd/Domn/{path}") for path in ("Cd", "Fmly/Cd", "Fmly/SubFmlyCd"))
    return "-".join(filter(None, parts))


def _remittance(line: Texts, one: Texts) -> str:
    """What the payer wrote, else what the bank adds in words."""
    added = first(one, "AddtlTxInf", "RtrInf/AddtlInf") or first(line, "AddtlNtryInf")
    return " ".join(one.get("RmtInf/Ustrd", [])) or added
