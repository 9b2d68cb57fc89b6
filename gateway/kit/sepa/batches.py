"""Batches: what a bank says of a whole file or group, as words about its payments.

With batch booking a statement has one line for a group; a file that is refused as a whole names
none of its payments. Our own record of the file tells which they are.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import msgspec

from gateway.kit.sepa import reasons
from gateway.kit.sepa.documents.writing import group_id, group_key
from gateway.model.bank import BankLine, Collection, PaymentStatus, Transfer
from gateway.model.money import Money

_REFUSED: Final = frozenset({"RJCT", "CANC"})


def named(line: BankLine) -> str:
    """The message id of the file whose payments are meant and not named; empty where none is.

    A statement names the group, whose reference begins with that of its file; some banks give the
    file's own in its place.
    """
    entry, status = line.entry, line.status
    if entry is not None:
        batched = not entry.end_to_end_id and not entry.problems
        whole = entry.message_id or entry.group_id.rpartition("-")[0] or entry.group_id
        return whole if batched else ""
    if status is None:
        return ""
    incomplete = bool(status.end_to_end_id) and status.amount is None
    known = status.reason_code in reasons.DUPLICATE
    refused = not status.end_to_end_id and status.status in _REFUSED and not known
    return status.message_id if incomplete or refused else ""


def exploded(
    line: BankLine, rows: Iterable[Collection | Transfer], message_id: str
) -> Iterator[BankLine]:
    """The line once for each payment that it means; the line itself where the sums differ.

    Args:
        rows: Of the file, all of them.
    """
    meant = list(_meant(line, rows, message_id))
    entry, status = line.entry, line.status
    if entry is not None:
        total = Money(sum(one.amount.minor for one in meant), "EUR")
        if not meant or entry.amount != total:
            yield line
            return
        for one in meant:
            said = msgspec.structs.replace(
                entry, end_to_end_id=one.end_to_end_id, amount=one.amount, batch_count=0
            )
            yield msgspec.structs.replace(line, entry=said)
    elif status is not None:
        yield from _said(line, status, meant)


def _said(
    line: BankLine, status: PaymentStatus, meant: Sequence[Collection | Transfer]
) -> Iterator[BankLine]:
    if not meant:
        yield line
    for one in meant:
        said = msgspec.structs.replace(
            status, end_to_end_id=one.end_to_end_id, amount=status.amount or one.amount
        )
        yield msgspec.structs.replace(line, status=said)


def _meant(
    line: BankLine, rows: Iterable[Collection | Transfer], message_id: str
) -> Iterator[Collection | Transfer]:
    group, end_to_end_id = "", ""
    if line.entry is not None:
        group = line.entry.group_id
    elif line.status is not None:
        group, end_to_end_id = line.status.group_id, line.status.end_to_end_id
    if end_to_end_id:
        yield from (one for one in rows if one.end_to_end_id == end_to_end_id)
        return
    known = list(rows)
    keys = sorted({group_key(one) for one in known})
    names = {key: group_id(message_id, number) for number, key in enumerate(keys, 1)}
    yield from (one for one in known if group in {"", message_id, names[group_key(one)]})
