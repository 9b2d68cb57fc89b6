"""Import bank files: each thing that a bank says becomes a row of the inbox, as a webhook does.

What is said of a whole file or group becomes a row for each of its payments, by our own record of
the file. A file that is read again changes nothing.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence
from typing import BinaryIO, Final

import msgspec

from gateway.kit.sepa import batches
from gateway.model import codec
from gateway.model.bank import BankLine, Collection, Transfer
from gateway.ports.bank_files import BankFiles
from gateway.runtime import bank_runs
from gateway.runtime.database import Database
from gateway.runtime.inbox import Delivery, Inbox, dedupe_key

_AT_ONCE: Final = 500
_KEPT_REFERENCE: Final = 100
_ROWS: Final[dict[str, type[Collection | Transfer]]] = {
    bank_runs.COLLECTIONS: Collection,
    bank_runs.TRANSFERS: Transfer,
}


class Read(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a file.

    Attributes:
        rows: What it says, one by one.
        new: Of these, what was not there yet.
    """

    file: str
    rows: int
    new: int


class _Bank(msgspec.Struct, frozen=True):
    """Whose file it is."""

    database: Database
    port: BankFiles
    tenant: str
    system: str


async def import_bank_file(
    database: Database, port: BankFiles, source: BinaryIO, *, tenant: str, system: str, name: str
) -> Read:
    """Put everything that the file says into the inbox.

    Args:
        name: For the answer; paths of people's machines are not kept.

    Raises:
        Rejected: It is no such document, or hostile; what was read before stays.
    """
    bank = _Bank(database, port, tenant, system)
    inbox = Inbox(database, queue=_AT_ONCE * 2)
    inbox.start()
    rows = new = 0
    waiting: list[Delivery] = []
    try:
        async for line in _lines(bank, source):
            waiting.append(_delivery(bank, line))
            if len(waiting) == _AT_ONCE:
                rows, new = rows + len(waiting), new + await _put(inbox, waiting)
                waiting.clear()
    finally:
        rows, new = rows + len(waiting), new + await _put(inbox, waiting)
        await inbox.stop()
    return Read(file=name, rows=rows, new=new)


async def _lines(bank: _Bank, source: BinaryIO) -> AsyncIterator[BankLine]:
    """The lines, with those of whole batches as one for each payment."""
    batch = ("", list[Collection | Transfer]())
    for line in bank.port.lines(source):
        message_id = batches.named(line)
        if not message_id:
            yield line
            continue
        if batch[0] != message_id:
            batch = (message_id, await _rows_of(bank, message_id))
        for one in batches.exploded(line, batch[1], message_id):
            yield one


async def _rows_of(bank: _Bank, message_id: str) -> list[Collection | Transfer]:
    """What stood in the file of this message id; nothing where it is none of ours."""
    run = await bank_runs.find(bank.database, bank.tenant, bank.system, message_id)
    if run is None:
        return []
    async with bank.database.connection() as connection:
        parts = [part async for part in bank_runs.parts(connection, run)]
    kind = _ROWS[run.kind]
    return [codec.convert(row, kind) for part in parts for row in codec.decode(part, list)]


def _delivery(bank: _Bank, line: BankLine) -> Delivery:
    body = codec.encode(line)
    reference = line.entry.bank_reference if line.entry else ""
    digest = hashlib.sha256(body).hexdigest()
    return Delivery(
        tenant=bank.tenant,
        system=bank.system,
        dedupe_key=dedupe_key(f"{reference[:_KEPT_REFERENCE]}:{digest}"),
        body=body,
        traceparent="",
        event_type="bank.entry" if line.entry else "bank.status",
    )


async def _put(inbox: Inbox, deliveries: Sequence[Delivery]) -> int:
    return sum(await asyncio.gather(*(inbox.put(one) for one in deliveries)))
