"""Exports: rows frozen once in PostgreSQL, then written as files, part by part.

What was exported must not depend on when a process died, but orders and payments go on changing.
So the first transaction of a run freezes all its rows, cut into parts, together with totals that
PostgreSQL sums up on its own. Everything after that is writing files from frozen rows: it may die
on any line and is repeated with the same bytes.
"""

import asyncio
import csv
import hashlib
import io
import os
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

import msgspec
import psycopg

from gateway.errors import Misconfigured, Rejected, Unavailable
from gateway.model import codec
from gateway.model.money import Money
from gateway.runtime.database import Connection, Database

# A transaction that began before midnight may commit after it; none of ours lives so long.
_LATE: Final = timedelta(minutes=1)
# What a spreadsheet would take for a formula. Source: OWASP, "CSV Injection", read 2026-11.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")


class Sum(msgspec.Struct, frozen=True, kw_only=True):
    """What an export holds in one currency; amounts are decimal strings.

    Attributes:
        rows: How many rows are in this currency.
        amounts: Column to the sum of its amounts.
    """

    currency: str
    rows: int
    amounts: dict[str, str]


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One finished file.

    Attributes:
        last_key: Key of the last row; the next part begins behind it.
    """

    part: int
    file: str
    rows: int
    sums: tuple[Sum, ...]
    last_key: str
    sha256: str
    bytes: int


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What an export consists of; written last, so that who finds it finds everything.

    Attributes:
        cutoff: When the rows were frozen, ISO 8601 in UTC.
        whole_day: Whether the day was over by then; rows of later are in no export.
    """

    profile: str
    tenant: str
    day: str
    cutoff: str
    whole_day: bool
    columns: tuple[str, ...]
    rows: int
    sums: tuple[Sum, ...]
    parts: tuple[Part, ...]


@dataclass(frozen=True, kw_only=True)
class Profile:
    """One kind of export.

    Attributes:
        name: As people type it, and the first part of file names.
        columns: The header line.
        amounts: Columns that hold amounts, in the currency of the column ``currency``.
        rows: A query that gives ``key`` and ``cells``, a jsonb array with a string per column.
            It may use the parameters tenant, since and until.
        totals: A query, independent of the other, that gives currency, rows and one sum for each
            of ``amounts``.
    """

    name: str
    columns: tuple[str, ...]
    amounts: tuple[str, ...]
    rows: str
    totals: str


@dataclass(frozen=True, kw_only=True)
class Run:
    """One export of one tenant and day.

    Attributes:
        folder: Where the files go.
        part_rows: Rows of a part; a run that has begun keeps what it began with.
    """

    database: Database
    profile: Profile
    tenant: str
    day: date
    folder: Path
    part_rows: int = 5_000

    @property
    def stem(self) -> str:
        """How the names of its files begin."""
        return f"{self.profile.name}-{self.tenant}-{self.day.isoformat()}"

    @property
    def manifest_file(self) -> Path:
        """Where the manifest goes."""
        return self.folder / f"{self.stem}.manifest.json"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a run did.

    Attributes:
        written: Parts that were written now; the others were there and are unchanged.
        repeated: Whether the export had been completed before.
    """

    manifest: Manifest
    written: int
    repeated: bool


class _Totals(msgspec.Struct, frozen=True):
    """What PostgreSQL summed up when the rows were frozen; kept in the run until its manifest."""

    totals: tuple[Sum, ...]


Progress = Callable[[int, int], None]


async def export(run: Run, progress: Progress) -> Outcome:
    """Bring the export to its end, whatever an earlier process left behind.

    Args:
        progress: Told how many parts are finished, and of how many.

    Raises:
        Rejected: A finished file was changed, or the sums differ from PostgreSQL's own.
        Unavailable: Another process writes the same export.
    """
    run.folder.mkdir(parents=True, exist_ok=True)
    async with alone(run.database, *map(str, _id(run))) as connection:
        cutoff, state = await _frozen(connection, run)
        numbers = await _numbers(connection, run)
        parts: list[Part] = []
        written = 0
        for number in numbers:
            progress(len(parts), len(numbers))
            part, new = await _finish(connection, run, number)
            parts.append(part)
            written += new
        progress(len(parts), len(numbers))
        manifest = await _close(connection, run, cutoff, parts)
    return Outcome(manifest=manifest, written=written, repeated=state == "COMPLETED")


@asynccontextmanager
async def alone(database: Database, *export: str) -> AsyncIterator[Connection]:
    """A connection that holds the export's lock; a killed process loses it with its socket."""
    name = "\x1f".join(("export", *export))
    lock = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)
    async with database.connection() as connection:
        try:
            await connection.execute("set lock_timeout = '10s'")
            # So that a statement of a killed process does not hold the lock to its end.
            await connection.execute("set client_connection_check_interval = '1s'")
            await connection.execute("select pg_advisory_lock(%s)", (lock,))
        except psycopg.errors.LockNotAvailable as error:
            raise Unavailable("Another process writes this export.", code="in_flight") from error
        try:
            yield connection
        finally:
            await connection.execute("select pg_advisory_unlock(%s)", (lock,))
            await connection.execute("reset lock_timeout")
            await connection.execute("reset client_connection_check_interval")


async def _frozen(connection: Connection, run: Run) -> tuple[datetime, str]:
    """When the rows were frozen, which happens now if it has not; and the state of the run."""
    found = await connection.execute(
        "select cutoff, state from headrace.export_run"
        " where tenant = %s and profile = %s and day = %s",
        _id(run),
    )
    row = await found.fetchone()
    if row is None:
        return await _freeze(connection, run), "RUNNING"
    return row[0], row[1]


async def _freeze(connection: Connection, run: Run) -> datetime:
    async with connection.transaction():
        # Rows and totals have to see the same moment.
        await connection.execute("set transaction isolation level repeatable read")
        found = await connection.execute("select now()")
        row = await found.fetchone()
        cutoff: datetime = row[0] if row else datetime.now(UTC)
        given = _window(run, cutoff)
        await connection.execute(
            'with numbered as (select key collate "C" as key, cells,'  # noqa: S608 - our own text
            ' (row_number() over (order by key collate "C") - 1) / %(size)s + 1 as part'
            f" from ({run.profile.rows}) as rows)"
            " insert into headrace.export_part (tenant, profile, day, part, entry)"
            " select %(tenant)s, %(profile)s, %(day)s, part, jsonb_build_object("
            "'last_key', max(key), 'content', jsonb_agg(cells order by key))"
            " from numbered group by part",
            given,
        )
        totals = await _totals(connection, run, given)
        await connection.execute(
            "insert into headrace.export_run (tenant, profile, day, state, cutoff, manifest)"
            " values (%s, %s, %s, 'RUNNING', %s, %s)",
            (*_id(run), cutoff, codec.encode(_Totals(totals)).decode()),
        )
    return cutoff


async def _totals(connection: Connection, run: Run, given: Mapping[str, object]) -> tuple[Sum, ...]:
    found = await connection.execute(run.profile.totals.encode(), given)
    return tuple(
        Sum(
            currency=currency,
            rows=rows,
            amounts={
                name: Money.parse(str(amount), currency).amount
                for name, amount in zip(run.profile.amounts, amounts, strict=True)
            },
        )
        for currency, rows, *amounts in await found.fetchall()
    )


def _window(run: Run, cutoff: datetime) -> dict[str, object]:
    since = datetime.combine(run.day, datetime.min.time(), UTC)
    return {
        "tenant": run.tenant,
        "profile": run.profile.name,
        "day": run.day,
        "size": run.part_rows,
        "since": since,
        "until": min(since + timedelta(days=1), cutoff),
    }


def _id(run: Run) -> tuple[str, str, date]:
    return run.tenant, run.profile.name, run.day


async def _numbers(connection: Connection, run: Run) -> list[int]:
    found = await connection.execute(
        "select part from headrace.export_part"
        " where tenant = %s and profile = %s and day = %s order by part",
        _id(run),
    )
    return [number for (number,) in await found.fetchall()]


async def _finish(connection: Connection, run: Run, number: int) -> tuple[Part, bool]:
    """The part as a file; and whether it had to be written."""
    found = await connection.execute(
        "select entry->'part', entry->'content', entry->>'last_key', entry - 'content'"
        " from headrace.export_part where tenant = %s and profile = %s and day = %s and part = %s",
        (*_id(run), number),
    )
    row = await found.fetchone()
    if row is None:
        raise Misconfigured(f"Part {number} of the export is gone.", code="export_part")
    finished, content, last_key, entry = row
    if finished is not None:
        known = codec.convert(entry, Part)
        if _is_unchanged(run.folder / known.file, known):
            return known, False
    body = csv_of(run.profile, content)
    part = Part(
        part=number,
        file=f"{run.stem}-{number:04d}.csv",
        rows=len(content),
        sums=sums_of(run.profile, content),
        last_key=last_key,
        sha256=hashlib.sha256(body).hexdigest(),
        bytes=len(body),
    )
    if finished is not None and part != known:
        raise Misconfigured(
            f"{part.file} would not be the same again; it was written by another version.",
            code="export_changed",
        )
    await asyncio.to_thread(write_whole, run.folder / part.file, body)
    await connection.execute(
        "update headrace.export_part set entry = entry || %s::jsonb"
        " where tenant = %s and profile = %s and day = %s and part = %s",
        (codec.encode(part).decode(), *_id(run), number),
    )
    return part, True


def _is_unchanged(file: Path, part: Part) -> bool:
    """Whether a finished file is as it was written; False where it is gone.

    Raises:
        Rejected: Somebody changed it.
    """
    try:
        body = file.read_bytes()
    except FileNotFoundError:
        return False
    if hashlib.sha256(body).hexdigest() != part.sha256:
        raise changed(file)
    return True


def changed(file: Path) -> Rejected:
    """The refusal to go on with a file that somebody changed."""
    return Rejected(
        f"{file} was changed after it was written. Move it away and run the export again:"
        " the same bytes are written anew.",
        code="export_changed",
    )


async def _close(
    connection: Connection, run: Run, cutoff: datetime, parts: Sequence[Part]
) -> Manifest:
    """Compare the sums and write the manifest; the run is completed."""
    found = await connection.execute(
        "select state, manifest from headrace.export_run"
        " where tenant = %s and profile = %s and day = %s",
        _id(run),
    )
    row = await found.fetchone()
    state, kept = row or ("", {})
    manifest = _manifest(run, cutoff, parts)
    body = manifest_json(manifest)
    if state == "COMPLETED":
        if codec.convert(kept, Manifest) != manifest:
            raise Misconfigured("The manifest does not fit its parts.", code="export_changed")
        if run.manifest_file.exists() and run.manifest_file.read_bytes() != body:
            raise changed(run.manifest_file)
    else:
        _compare(manifest.sums, codec.convert(kept, _Totals).totals)
    if not run.manifest_file.exists() or state != "COMPLETED":
        await asyncio.to_thread(write_whole, run.manifest_file, body)
    await connection.execute(
        "update headrace.export_run set state = 'COMPLETED', manifest = %s,"
        " ended_at = coalesce(ended_at, now())"
        " where tenant = %s and profile = %s and day = %s",
        (codec.encode(manifest).decode(), *_id(run)),
    )
    return manifest


def _manifest(run: Run, cutoff: datetime, parts: Sequence[Part]) -> Manifest:
    since = datetime.combine(run.day, datetime.min.time(), UTC)
    return Manifest(
        profile=run.profile.name,
        tenant=run.tenant,
        day=run.day.isoformat(),
        cutoff=cutoff.astimezone(UTC).isoformat(),
        whole_day=cutoff >= since + timedelta(days=1) + _LATE,
        columns=run.profile.columns,
        rows=sum(part.rows for part in parts),
        sums=added(run.profile, [part.sums for part in parts]),
        parts=tuple(parts),
    )


def manifest_json(manifest: Manifest) -> bytes:
    """The manifest as it is written, for people and machines."""
    return msgspec.json.format(codec.encode(manifest), indent=2) + b"\n"


def _compare(ours: tuple[Sum, ...], theirs: tuple[Sum, ...]) -> None:
    wanted = {one.currency: one for one in theirs}
    for currency in sorted({*wanted, *(one.currency for one in ours)}):
        mine = next((one for one in ours if one.currency == currency), None)
        if mine != wanted.get(currency):
            raise Rejected(
                f"The files and PostgreSQL disagree about {currency}; no manifest was written."
                " Compare the parts with the orders of the day.",
                code="totals_differ",
            )


def csv_of(profile: Profile, rows: Sequence[Sequence[str]]) -> bytes:
    """The rows as RFC 4180: CRLF, UTF-8, one header line, no formulas."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(profile.columns)
    amounts = [name in profile.amounts for name in profile.columns]
    for row in rows:
        writer.writerow(
            [
                cell if is_amount else _inert(cell)
                for cell, is_amount in zip(row, amounts, strict=True)
            ]
        )
    return text.getvalue().encode("utf-8")


def _inert(cell: str) -> str:
    """A cell that no spreadsheet calculates with."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def sums_of(profile: Profile, rows: Sequence[Sequence[str]]) -> tuple[Sum, ...]:
    """What the rows hold, by currency."""
    currency_at = profile.columns.index("currency")
    places = [profile.columns.index(name) for name in profile.amounts]
    counts: dict[str, int] = {}
    sums: dict[str, list[int]] = {}
    for row in rows:
        currency = row[currency_at]
        counts[currency] = counts.get(currency, 0) + 1
        known = sums.setdefault(currency, [0] * len(places))
        for index, place in enumerate(places):
            if row[place]:
                known[index] += Money.parse(row[place], currency).minor
    return tuple(
        Sum(
            currency=currency,
            rows=counts[currency],
            amounts={
                name: Money(minor, currency).amount
                for name, minor in zip(profile.amounts, sums[currency], strict=True)
            },
        )
        for currency in sorted(counts)
    )


def added(profile: Profile, parts: Sequence[Sequence[Sum]]) -> tuple[Sum, ...]:
    """The sums of several parts as one."""
    found: dict[str, tuple[int, list[int]]] = {}
    for one in (one for part in parts for one in part):
        rows, minors = found.get(one.currency, (0, [0] * len(profile.amounts)))
        amounts = [one.amounts[name] for name in profile.amounts]
        more = [Money.parse(amount, one.currency).minor for amount in amounts]
        total = [a + b for a, b in zip(minors, more, strict=True)]
        found[one.currency] = rows + one.rows, total
    return tuple(
        Sum(
            currency=currency,
            rows=rows,
            amounts={
                name: Money(minor, currency).amount
                for name, minor in zip(profile.amounts, minors, strict=True)
            },
        )
        for currency, (rows, minors) in sorted(found.items())
    )


def write_whole(file: Path, body: bytes) -> None:
    """Write a file that is either whole or not there, also after a power cut."""
    draft = file.with_name(f".{file.name}.part")
    with draft.open("wb") as stream:
        stream.write(body)
        stream.flush()
        os.fsync(stream.fileno())
    draft.replace(file)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
