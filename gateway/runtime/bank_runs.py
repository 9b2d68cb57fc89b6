"""Bank runs: what goes into one file for a bank, frozen once, then written with the same bytes.

As an export, a run is frozen in the transaction that marks what it takes (ADR 0018); the file may
be written, lost and written again after it. A day on which nothing is due leaves no run behind.
"""

import asyncio
import datetime as dt
import hashlib
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import BinaryIO, Final, Generic, TypeVar

import msgspec

from gateway.errors import Misconfigured, Rejected
from gateway.model import codec
from gateway.model.bank import Collection, Transfer, WrittenFile, WrittenGroup
from gateway.runtime.database import Connection, Database
from gateway.runtime.exports import changed, write_whole

R = TypeVar("R", Collection, Transfer)

COLLECTIONS: Final = "collections"
TRANSFERS: Final = "transfers"
_BLOCK: Final = 1 << 20


class BankManifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a file for a bank holds; amounts are decimal strings.

    Attributes:
        cutoff: When its rows were frozen, ISO 8601 in UTC.
        message_id: By which the bank answers.
        groups: To explode batch bookings by.
    """

    kind: str
    tenant: str
    system: str
    account: str
    day: str
    cutoff: str
    message_id: str
    count: int
    total: str
    groups: tuple[WrittenGroup, ...]
    file: str
    sha256: str
    bytes: int


@dataclass(frozen=True, kw_only=True)
class BankRun:
    """One file of one day.

    Attributes:
        kind: ``collections`` or ``transfers``.
        account: Name of the bank account of ours.
        day: On which it is handed in.
        folder: Where it goes.
    """

    database: Database
    kind: str
    tenant: str
    system: str
    account: str
    day: dt.date
    folder: Path

    @property
    def profile(self) -> str:
        """Under which the run is kept, beside the exports."""
        return f"{self.kind}.{self.system}.{self.account}"

    @property
    def identity(self) -> tuple[str, str, dt.date]:
        """Key of its rows."""
        return self.tenant, self.profile, self.day

    @property
    def batch_id(self) -> str:
        """Ours for the file; the same run has the same message id."""
        return f"{self.tenant}.{self.profile}.{self.day.isoformat()}"

    @property
    def cause(self) -> str:
        """What events give as the cause of a change that the run makes."""
        return f"export:{self.profile}:{self.day.isoformat()}"

    @property
    def stem(self) -> str:
        """How the names of its files begin."""
        place = f"{self.tenant}.{self.system}.{self.account}"
        return f"{self.kind}-{place}-{self.day.isoformat()}"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a run did.

    Attributes:
        manifest: None where nothing was due.
        refused: Things that no file could take; each has failed, with the rule.
        written: Whether the file was written now.
    """

    manifest: BankManifest | None
    refused: int
    written: bool


class Frozen(Generic[R]):
    """A run whose rows are frozen.

    Args:
        cutoff: When they were.
        state: RUNNING or COMPLETED.
    """

    def __init__(self, run: BankRun, row: type[R], cutoff: dt.datetime, state: str) -> None:
        self.cutoff = cutoff
        self._run: BankRun = run
        self._row: type[R] = row
        self._is_completed = state == "COMPLETED"

    async def write(
        self,
        connection: Connection,
        write: Callable[[Iterator[R], Path, dt.datetime], WrittenFile],
    ) -> tuple[BankManifest, bool]:
        """The file and its manifest, made now where they are not there; and whether they were made.

        What the file is, is committed before it has its name. So whoever finds one finds it again
        byte for byte, or hears that it would be another one by now.

        Raises:
            Rejected: Somebody changed the file, or the sums differ from PostgreSQL's own.
            Misconfigured: It would not be the same again.
        """
        run: BankRun = self._run
        run.folder.mkdir(parents=True, exist_ok=True)
        target, told = run.folder / f"{run.stem}.xml", run.folder / f"{run.stem}.manifest.json"
        known = await self._known(connection) if self._is_completed else None
        if known is not None and target.exists():
            if await asyncio.to_thread(_digest, target) != (known.sha256, known.bytes):
                raise changed(target)
            if not told.exists():
                await asyncio.to_thread(write_whole, told, _as_json(known))
            return known, False
        unnamed = run.folder / f".{run.stem}.unnamed"
        with tempfile.TemporaryFile(dir=run.folder) as spool:
            async for rows in parts(connection, run):
                spool.write(rows.encode() + b"\n")
            spool.seek(0)
            made = await asyncio.to_thread(write, self._rows(spool), unnamed, self.cutoff)
        try:
            manifest = await asyncio.to_thread(_manifest, run, self.cutoff, made, unnamed)
            await _compare(connection, run, manifest)
            await asyncio.to_thread(_same, manifest, known, target)
            await connection.execute(
                "update headrace.export_run set state = 'COMPLETED', manifest = %s,"
                " ended_at = coalesce(ended_at, now())"
                " where tenant = %s and profile = %s and day = %s",
                (codec.encode(manifest).decode(), *run.identity),
            )
            unnamed.replace(target)
        finally:
            unnamed.unlink(missing_ok=True)
        await asyncio.to_thread(write_whole, told, _as_json(manifest))
        return manifest, True

    def _rows(self, spool: BinaryIO) -> Iterator[R]:
        for line in spool:
            for one in codec.decode(line, list):
                yield codec.convert(one, self._row)

    async def _known(self, connection: Connection) -> BankManifest:
        found = await connection.execute(
            "select manifest::text from headrace.export_run"
            " where tenant = %s and profile = %s and day = %s",
            self._run.identity,
        )
        row = await found.fetchone()
        if row is None:
            raise Misconfigured("The run is gone.", code="export_part")
        return codec.decode(row[0], BankManifest)


async def frozen(connection: Connection, run: BankRun, row: type[R]) -> Frozen[R] | None:
    """The run, if its rows were frozen before."""
    found = await connection.execute(
        "select cutoff, state from headrace.export_run"
        " where tenant = %s and profile = %s and day = %s",
        run.identity,
    )
    known = await found.fetchone()
    return None if known is None else Frozen(run, row, known[0], known[1])


async def begin(connection: Connection, run: BankRun, cutoff: dt.datetime) -> None:
    """Keep that the run was frozen; its parts stand in the same transaction."""
    await connection.execute(
        "insert into headrace.export_run (tenant, profile, day, state, cutoff)"
        " values (%s, %s, %s, 'RUNNING', %s)",
        (*run.identity, cutoff),
    )


async def keep(connection: Connection, run: BankRun, number: int, rows: Sequence[R]) -> None:
    """Freeze some rows."""
    await connection.execute(
        "insert into headrace.export_part (tenant, profile, day, part, entry)"
        " values (%s, %s, %s, %s, jsonb_build_object('content', %s::jsonb))",
        (*run.identity, number, codec.encode(rows).decode()),
    )


async def parts(connection: Connection, run: BankRun) -> AsyncIterator[str]:
    """The frozen rows, part by part, as JSON in one line each."""
    number = 0
    while True:
        found = await connection.execute(
            "select part, (entry->'content')::text from headrace.export_part"
            " where tenant = %s and profile = %s and day = %s and part > %s order by part limit 1",
            (*run.identity, number),
        )
        row = await found.fetchone()
        if row is None:
            return
        number = row[0]
        yield row[1]


async def find(database: Database, tenant: str, system: str, message_id: str) -> BankRun | None:
    """The completed run whose file has this message id."""
    async with database.connection() as connection:
        found = await connection.execute(
            "select manifest::text from headrace.export_run where tenant = %s"
            " and manifest->>'message_id' = %s and manifest->>'system' = %s",
            (tenant, message_id, system),
        )
        row = await found.fetchone()
    if row is None:
        return None
    manifest = codec.decode(row[0], BankManifest)
    return BankRun(
        database=database,
        kind=manifest.kind,
        tenant=tenant,
        system=system,
        account=manifest.account,
        day=dt.date.fromisoformat(manifest.day),
        folder=Path(),
    )


async def _compare(connection: Connection, run: BankRun, manifest: BankManifest) -> None:
    """PostgreSQL counts on its own, so that a row that was lost on the way is noticed."""
    found = await connection.execute(
        "select count(*), coalesce(sum((one->'amount'->>'amount')::numeric), 0)"
        " from headrace.export_part, jsonb_array_elements(entry->'content') as one"
        " where tenant = %s and profile = %s and day = %s",
        run.identity,
    )
    count, total = await found.fetchone() or (0, Decimal(0))
    if (count, total) != (manifest.count, Decimal(manifest.total)):
        message = "The file and PostgreSQL disagree about the sum; there is no file."
        raise Rejected(message, code="totals_differ")


def _same(manifest: BankManifest, known: BankManifest | None, target: Path) -> None:
    """See that nobody can have brought another file of this message id to the bank.

    Raises:
        Misconfigured: There is, or was, another one.
    """
    there = target.exists() and _digest(target) != (manifest.sha256, manifest.bytes)
    if there or known not in {None, manifest}:
        message = (
            f"{target.name} was written with other settings or by another version, and would be"
            " another file now; it stays as it was."
        )
        raise Misconfigured(message, code="export_changed")


def _manifest(run: BankRun, cutoff: dt.datetime, made: WrittenFile, file: Path) -> BankManifest:
    digest, size = _digest(file)
    return BankManifest(
        kind=run.kind,
        tenant=run.tenant,
        system=run.system,
        account=run.account,
        day=run.day.isoformat(),
        cutoff=cutoff.astimezone(dt.UTC).isoformat(),
        message_id=made.message_id,
        count=made.count,
        total=str(made.total),
        groups=made.groups,
        file=f"{run.stem}.xml",
        sha256=digest,
        bytes=size,
    )


def _digest(file: Path) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    with file.open("rb") as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
            size += len(block)
    return digest.hexdigest(), size


def _as_json(manifest: BankManifest) -> bytes:
    return msgspec.json.format(codec.encode(manifest), indent=2) + b"\n"
