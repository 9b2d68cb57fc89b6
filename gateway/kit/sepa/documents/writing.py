"""Payment files: pain.008 and pain.001, written as the payments are read.

Control sums stand in front of the payments. The rows are therefore checked and written into a spool
file, group by group, while counts and sums add up; then the file is put together. The payments are
read once, of each only a hash of its reference stays in memory, and the file appears under its name
complete or not at all.

Elements come from the mappings in ``mappings/sepa_bank``, compiled by the mapping engine.
"""

import datetime as dt
import io
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO, Final, Generic, TypeVar

import msgspec

from gateway.errors import Rejected
from gateway.kit import mapping
from gateway.kit.mapping import bulk
from gateway.kit.sepa import identifiers
from gateway.kit.sepa.documents.checks import NAME_LENGTH, Checks
from gateway.kit.sepa.documents.validation import Plain, Validated
from gateway.model import codec
from gateway.model.bank import (
    BankAccount,
    Collection,
    CollectionGroup,
    FileHead,
    Problem,
    Transfer,
    TransferGroup,
    WrittenFile,
    WrittenGroup,
)

R = TypeVar("R", Collection, Transfer)

# Rows that are held back before they are written.
_CHUNK: Final = 500
# Enough to correct by; after so many nothing more is looked for.
_PROBLEMS: Final = 100
_CENTS: Final = 100


class Format(msgspec.Struct, frozen=True, kw_only=True):
    """One version of one message.

    Attributes:
        root: The element inside ``Document``.
        row: The element of one payment.
        mappings: Prefix of the mappings that make its elements.
    """

    name: str
    root: str
    row: str
    mappings: str

    @property
    def namespace(self) -> str:
        """Of all its elements."""
        return f"urn:iso:std:iso:20022:tech:xsd:{self.name}"


def _direct_debit(name: str) -> Format:
    return Format(name=name, root="CstmrDrctDbtInitn", row="DrctDbtTxInf", mappings="collection")


PAIN_008_08: Final = _direct_debit("pain.008.001.08")
# The generation before 2019; its mappings are loaded with ``bicfi: false``.
PAIN_008_02: Final = _direct_debit("pain.008.001.02")
PAIN_001_09: Final = Format(
    name="pain.001.001.09", root="CstmrCdtTrfInitn", row="CdtTrfTxInf", mappings="transfer"
)


class FileRefused(Rejected):
    """Nothing was written.

    Attributes:
        problems: What is wrong, at most a hundred of them.
    """

    def __init__(self, problems: list[Problem]) -> None:
        first = problems[0]
        message = (
            f"The file was not written, problems: {len(problems)}; the first is "
            f"{first.rule} in {first.field} of row {first.row}."
        )
        super().__init__(message, code="file_refused", detail=first.rule)
        self.problems = tuple(problems)


class _Group(Generic[R]):
    """Payments that stand together, and where they lie in the spool file."""

    def __init__(self, first: R) -> None:
        self.first: R = first
        self.minor = 0
        self.count = 0
        self.waiting: list[bytes] = []
        self.extents: list[tuple[int, int]] = []

    @property
    def total(self) -> Decimal:
        return Decimal(self.minor).scaleb(-2)


class PaymentFiles(Generic[R]):
    """Writes files of one format.

    Args:
        mappings: Of ``mappings/sepa_bank``, as ``mappings_of`` loads them.
        accounts: Of our own, by the name that payments give.
        schema: The bank's or ISO's XSD; every file is validated with it while it is written.
    """

    def __init__(
        self,
        form: Format,
        mappings: Mapping[str, mapping.Mapping],
        accounts: Mapping[str, BankAccount],
        *,
        schema: Path | None = None,
    ) -> None:
        self._form = form
        self._accounts = accounts
        self._schema = schema
        self._head = _export(mappings[f"{form.mappings}_head"], "GrpHdr")
        self._group = _export(mappings[f"{form.mappings}_group"], "PmtInf")
        self._row = _export(mappings[form.mappings], form.row)
        self._collects = form.mappings == "collection"

    def write(
        self,
        payments: Iterable[R],
        target: Path,
        *,
        batch_id: str,
        initiator: str,
        now: dt.datetime,
        cut: bool = False,
    ) -> WrittenFile:
        """Write all payments, or nothing.

        Args:
            payments: In any order; read once.
            target: A file that is there already is replaced.
            batch_id: Ours; the same batch has the same message id.
            initiator: Who sends the file.
            now: When; due dates and signatures are judged by it.
            cut: Names and texts that are too long may lose their end.

        Raises:
            FileRefused: A payment or an account breaks a rule; the target is as it was.
        """
        checks = Checks(self._accounts, now, cut=cut)
        with tempfile.TemporaryFile(dir=target.parent) as spool:
            groups = self._spooled(payments, spool, checks)
            checks.close()
            name = checks.text(0, "initiator", initiator, NAME_LENGTH)
            if not groups and not checks.problems:
                checks.problems.append(Problem(row=0, field="payments", rule="empty"))
            ordered = [groups[key] for key in sorted(groups)]
            accounts = {
                each.first.account: checks.account(each.first.account, collects=self._collects)
                for each in ordered
            }
            if checks.problems:
                raise FileRefused(checks.problems)
            message_id = identifiers.message_id(batch_id)
            numbered = [
                (_written(group_id(message_id, number), each), each)
                for number, each in enumerate(ordered, 1)
            ]
            head = FileHead(
                message_id=message_id,
                created_at=now.astimezone(dt.UTC).replace(microsecond=0),
                count=sum(each.count for each in ordered),
                total=sum((each.total for each in ordered), Decimal(0)),
                initiator=name,
            )
            with _replacing(target) as out:
                self._assemble(out, head, numbered, accounts, spool)
        return WrittenFile(
            message_id=message_id,
            count=head.count,
            total=head.total,
            groups=tuple(each for each, _ in numbered),
        )

    def _spooled(
        self, payments: Iterable[R], spool: BinaryIO, checks: Checks
    ) -> dict[tuple[Any, ...], _Group[R]]:
        """Check the payments and write their elements, as long as nothing is wrong."""
        groups: dict[tuple[Any, ...], _Group[R]] = {}
        check: Callable[[int, Any], Any] = checks.collection if self._collects else checks.transfer
        waiting = 0
        for number, payment in enumerate(payments, 1):
            made = check(number, payment)
            if checks.problems:
                if len(checks.problems) >= _PROBLEMS:
                    break
                continue
            key = group_key(payment)
            group = groups.get(key)
            if group is None:
                group = groups[key] = _Group(payment)
            group.minor += payment.amount.minor
            group.count += 1
            group.waiting.append(codec.encode(made))
            waiting += 1
            if waiting == _CHUNK:
                self._flush(groups, spool)
                waiting = 0
        self._flush(groups, spool)
        return groups

    def _flush(self, groups: Mapping[tuple[Any, ...], _Group[R]], spool: BinaryIO) -> None:
        for group in groups.values():
            if group.waiting:
                start = spool.tell()
                self._row.write(group.waiting, spool)
                group.extents.append((start, spool.tell() - start))
                group.waiting.clear()

    def _assemble(
        self,
        out: BinaryIO,
        head: FileHead,
        groups: list[tuple[WrittenGroup, _Group[R]]],
        accounts: Mapping[str, BankAccount],
        spool: BinaryIO,
    ) -> None:
        form = self._form
        sink = Plain(out) if self._schema is None else Validated(out, self._schema, form.row)
        sink.write(
            b'<?xml version="1.0" encoding="UTF-8"?>\n'
            + f'<Document xmlns="{form.namespace}"><{form.root}>'.encode()
            + _element(self._head, head)
        )
        for told, group in groups:
            account = accounts[group.first.account]
            element = _element(self._group, _group_head(told, group.first, account))
            sink.write(element.removesuffix(b"</PmtInf>"))
            for start, length in group.extents:
                spool.seek(start)
                sink.rows(spool.read(length))
            sink.write(b"</PmtInf>")
        sink.write(f"</{form.root}></Document>\n".encode())
        if problems := sink.close():
            raise FileRefused(problems)


def _export(made: mapping.Mapping, element: str) -> bulk.Export:
    """The elements alone: what is around them is written here."""
    export = bulk.xml(made, element)
    export.head = ""
    return export


def _element(export: bulk.Export, value: FileHead | CollectionGroup | TransferGroup) -> bytes:
    made = io.BytesIO()
    export.write([codec.encode(value)], made)
    return made.getvalue()


def group_key(payment: Collection | Transfer) -> tuple[Any, ...]:
    """What the payments of a group have in common."""
    if isinstance(payment, Collection):
        return payment.account, payment.scheme, payment.sequence_type, payment.due
    return payment.account, payment.is_instant, payment.due


def group_id(message_id: str, number: int) -> str:
    """The reference of a group; they are numbered from 1 in the order of their keys."""
    return f"{message_id}-{number}"


def _written(name: str, group: _Group[R]) -> WrittenGroup:
    return WrittenGroup(
        group_id=name,
        account=group.first.account,
        due=group.first.due,
        count=group.count,
        total=group.total,
    )


def _group_head(
    told: WrittenGroup, first: Collection | Transfer, account: BankAccount
) -> CollectionGroup | TransferGroup:
    known: dict[str, Any] = {
        "group_id": told.group_id,
        "batch_booking": account.batch_booking,
        "count": told.count,
        "total": told.total,
        "due": told.due,
        "name": account.name,
        "iban": account.iban,
        "bic": account.bic,
    }
    if isinstance(first, Transfer):
        return TransferGroup(is_instant=first.is_instant, **known)
    return CollectionGroup(
        scheme=first.scheme,
        sequence_type=first.sequence_type,
        creditor_id=account.creditor_id,
        **known,
    )


@contextmanager
def _replacing(target: Path) -> Iterator[BinaryIO]:
    """A file that takes its name when it is complete and on the disk."""
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "wb") as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
