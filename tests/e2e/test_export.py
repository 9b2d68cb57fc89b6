"""The export of postings on a real PostgreSQL: killed in the middle, repeated, tampered with."""

import csv
import hashlib
import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest
import yaml

from gateway.runtime import embedded
from gateway.runtime.database import migrate
from tests.e2e.postgres import Postgres
from tests.flows.postgres import own_folder

ROOT = Path(__file__).resolve().parents[2]
DAY = "2026-03-31"
ROWS = 12_000
PART_ROWS = 500
PARTS = ROWS // PART_ROWS
MANIFEST = f"postings-acme-{DAY}.manifest.json"

# One order in five has no charge; the second currency has no decimals. 12,001 and 12,002 lie on
# the days around, with instants that are the same day in Berlin.
ORDERS = """
insert into headrace.document (tenant, kind, id, state, body, created_at)
select 'acme', 'order', 'order-' || lpad(n::text, 6, '0'),
    case when n % 5 = 0 then 'REJECTED' else 'COMPLETED' end,
    jsonb_build_object(
        'order_id', 'order-' || lpad(n::text, 6, '0'), 'submitted_at', at, 'channel', 'B2C',
        'kind', 'PURCHASE', 'reference', case when n = 7 then '-4711' else 'WEB-' || n end,
        'total', money, 'payment_id', 'payment-' || lpad(n::text, 6, '0'),
        'party', jsonb_build_object('party_id', 'C-' || n % 90, 'names', array['Zoë Geheim'],
            'email', 'zoe.geheim@example.org')),
    at
from (
    select n, case when n % 3 = 0 then jsonb_build_object('amount', n::text, 'currency', 'JPY')
        else jsonb_build_object('amount', (n / 100.0)::numeric(12, 2)::text, 'currency', 'EUR')
        end as money,
        case n when 12001 then timestamptz '2026-03-30 23:59:59.999999+00'
            when 12002 then timestamptz '2026-04-01 00:00:00+00'
            else timestamptz '2026-03-31 00:00:00+00' + n * interval '7 s' end as at
    from generate_series(1, 12002) as n
) as given
"""
CHARGES = """
insert into headrace.document (tenant, kind, id, state, body, created_at)
select 'acme', 'payment', body->>'payment_id', 'CAPTURED', jsonb_build_object(
    'payment_id', body->>'payment_id', 'order_id', id, 'amount', body->'total',
    'captured', body->'total', 'provider', 'stripe', 'provider_ref', 'pi_' || id,
    'refunded', nothing, 'returned', nothing, 'disputed', nothing), created_at
from headrace.document, jsonb_build_object('amount', case body->'total'->>'currency'
    when 'JPY' then '0' else '0.00' end, 'currency', body->'total'->>'currency') as nothing
where kind = 'order' and state = 'COMPLETED'
"""
REFERENCES = """
insert into headrace.reference (tenant, entity, entity_id, system, external_id)
select 'acme', 'SALES_ORDER', id, 'sap_s4', 'SO' || right(id, 6)
from headrace.document where kind = 'order' and state = 'COMPLETED'
union all select 'acme', 'BUSINESS_PARTNER', 'C-' || n, 'sap_s4', 'BP' || n
from generate_series(0, 89) as n
"""
Connection = psycopg.Connection[tuple[object, ...]]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A PostgreSQL with a day of orders in it."""
    folder = own_folder()
    found = embedded.start(folder)
    migrate(found)
    with psycopg.connect(found) as connection:
        for statement in (ORDERS, CHARGES, REFERENCES):
            connection.execute(statement.encode())
    yield found
    Postgres(folder).end()


@pytest.fixture
def connection(url: str) -> Iterator[Connection]:
    """A connection; no export has been run."""
    with psycopg.connect(url, autocommit=True) as found:
        found.execute("truncate headrace.export_run, headrace.export_part")
        yield found


@pytest.fixture
def config(url: str, tmp_path: Path) -> Path:
    """A configuration for this database."""
    (tmp_path / "tenants").mkdir()
    system = {"name": "rules", "adapter": "decision_table"}
    tenant = {
        "tenant": "acme",
        "currencies": ["EUR", "JPY"],
        "systems": [
            system,
            {
                "name": "stripe",
                "adapter": "stripe",
                "settings": {"base_url": "http://127.0.0.1:1", "secret_key": "env:EXPORT_KEY"},
            },
            {
                "name": "sap",
                "adapter": "sap_s4",
                "settings": {
                    "base_url": "http://127.0.0.1:1",
                    "user": "U",
                    "password": "env:EXPORT_KEY",
                    "client": "100",
                    "sales_organization": "1710",
                    "distribution_channel": "10",
                    "division": "00",
                },
            },
            {
                "name": "crm",
                "adapter": "salesforce",
                "settings": {
                    "login_url": "http://127.0.0.1:1",
                    "client_id": "c",
                    "client_secret": "env:EXPORT_KEY",
                },
            },
        ],
        "routing": {"erp": "sap", "crm": "crm", "risk": "rules", "payments": "stripe"},
    }
    (tmp_path / "tenants" / "acme.yaml").write_text(yaml.safe_dump(tenant))
    file = tmp_path / "headrace.yaml"
    file.write_text(yaml.safe_dump({"data": str(tmp_path), "database": {"url": url}}))
    return file


def command(config: Path, folder: Path, *more: str) -> list[str]:
    """The export as people type it."""
    return [
        *(sys.executable, "-m", "gateway", "exports", "run", "postings", "--day", DAY),
        *("--config", str(config), "--out", str(folder), "--part-rows", str(PART_ROWS), *more),
    ]


def environment() -> dict[str, str]:
    """Of the command: the same modules as here, and the secrets that the configuration names."""
    return os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path]), "EXPORT_KEY": "x"}


def run(config: Path, folder: Path, *more: str) -> subprocess.CompletedProcess[str]:
    """The export from its beginning to its end."""
    return subprocess.run(
        command(config, folder, *more),
        env=environment(),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def finish(config: Path, folder: Path) -> str:
    """What a run says that comes to a good end."""
    done = run(config, folder)
    assert 0 == done.returncode, done.stderr
    return done.stdout


def kill_after(config: Path, folder: Path, files: int) -> None:
    """Start the export and kill it once so many parts are there."""
    process = subprocess.Popen(
        command(config, folder), env=environment(), cwd=ROOT, stdout=subprocess.DEVNULL
    )
    until = time.monotonic() + 60
    while len(list(folder.glob("*.csv"))) < files and process.poll() is None:
        assert time.monotonic() < until
    process.kill()
    assert -9 == process.wait(), "the export had ended before it was killed"


def contents(folder: Path) -> dict[str, bytes]:
    """Everything in the folder."""
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir())}


def records(folder: Path) -> list[dict[str, str]]:
    """The rows of all parts, in the order of the manifest."""
    manifest = json.loads((folder / MANIFEST).read_bytes())
    return [
        record
        for part in manifest["parts"]
        for record in csv.DictReader(
            io.StringIO((folder / part["file"]).read_text(encoding="utf-8"), newline="")
        )
    ]


def test_three_deaths_change_no_byte(config: Path, connection: Connection, tmp_path: Path) -> None:
    """Killed three times while orders go on changing, the export has the bytes of a calm one."""
    calm, disturbed = tmp_path / "calm", tmp_path / "disturbed"
    disturbed.mkdir()
    finish(config, calm)
    connection.execute("update headrace.export_run set state = 'RUNNING', manifest ="
        " jsonb_build_object('totals', manifest->'sums')")  # fmt: skip
    connection.execute("update headrace.export_part set entry = jsonb_build_object("
        "'content', entry->'content', 'last_key', entry->'last_key')")  # fmt: skip
    for number, files in enumerate((2, 9, 17)):
        kill_after(config, disturbed, files)
        assert not (disturbed / MANIFEST).exists()
        connection.execute(
            b"update headrace.document set state = %s where kind = 'order'", (f"CHANGED{number}",)
        )
    finished = contents(disturbed)

    finish(config, disturbed)

    connection.execute(
        "update headrace.document set state = case when right(id, 6)::int % 5 = 0"
        " then 'REJECTED' else 'COMPLETED' end where kind = 'order'"
    )
    assert contents(calm) == contents(disturbed)
    assert PARTS + 1 == len(contents(calm))
    assert len([name for name in finished if name.endswith(".csv")]) >= 17


def test_a_death_before_the_first_part_leaves_a_run_that_goes_on(
    config: Path, connection: Connection, tmp_path: Path
) -> None:
    """Killed at any early moment, also while the rows are frozen, the next run is whole."""
    folder = tmp_path / "out"
    for delay_s in (0.9, 1.3):
        process = subprocess.Popen(
            command(config, folder), env=environment(), cwd=ROOT, stdout=subprocess.DEVNULL
        )
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(delay_s)
        process.kill()
        process.wait()

    finish(config, folder)
    assert ROWS == len(records(folder))


def test_rows_are_the_day_and_nobody_is_named(
    config: Path, connection: Connection, tmp_path: Path
) -> None:
    """Midnight in UTC decides; each order stands once, with its charge, and without its person."""
    folder = tmp_path / "out"

    finish(config, folder)

    rows = records(folder)
    ids = [row["order_id"] for row in rows]
    assert [f"order-{n:06}" for n in range(1, ROWS + 1)] == ids
    assert "'-4711" == rows[6]["reference"]
    assert {
        "order_id": "order-000002",
        "submitted_at": "2026-03-31T00:00:14+00:00",
        "state": "COMPLETED",
        "channel": "B2C",
        "kind": "PURCHASE",
        "reference": "WEB-2",
        "total": "0.02",
        "currency": "EUR",
        "payment_id": "payment-000002",
        "payment_state": "CAPTURED",
        "provider": "stripe",
        "provider_ref": "pi_order-000002",
        "captured": "0.02",
        "refunded": "0.00",
        "sales_order": "SO000002",
        "business_partner": "BP2",
    } == rows[1]
    assert ["", "", ""] == [rows[4][name] for name in ("payment_id", "captured", "sales_order")]
    assert not [name for name, body in contents(folder).items() if b"eheim" in body]


def test_the_manifest_tells_what_the_files_hold(
    config: Path, connection: Connection, tmp_path: Path
) -> None:
    """Counts, sums and hashes are those of the bytes; the sums were made by someone else."""
    folder = tmp_path / "out"

    finish(config, folder)

    manifest = json.loads((folder / MANIFEST).read_bytes())
    for part in manifest["parts"]:
        body = (folder / part["file"]).read_bytes()
        assert (part["sha256"], part["bytes"]) == (hashlib.sha256(body).hexdigest(), len(body))
        assert PART_ROWS + 1 == body.count(b"\r\n") == body.count(b"\n")
    wanted: dict[str, dict[str, Decimal]] = {}
    for row in records(folder):
        sums = wanted.setdefault(row["currency"], {"total": Decimal(), "captured": Decimal()})
        for name in sums:
            sums[name] += Decimal(row[name] or 0)
    told = {
        one["currency"]: {n: Decimal(one["amounts"][n]) for n in ("total", "captured")}
        for one in manifest["sums"]
    }
    assert wanted == told
    assert (ROWS, True, "2026-03-31") == (manifest["rows"], manifest["whole_day"], manifest["day"])
    assert 0 < wanted["EUR"]["captured"] < wanted["EUR"]["total"]


def test_a_repetition_verifies(config: Path, connection: Connection, tmp_path: Path) -> None:
    """The second run writes nothing, says so, and names a file that was changed."""
    folder = tmp_path / "out"
    finish(config, folder)
    before = {file.name: file.stat().st_mtime_ns for file in folder.iterdir()}

    assert "completed before" in finish(config, folder)
    assert before == {file.name: file.stat().st_mtime_ns for file in folder.iterdir()}

    victim = folder / f"postings-acme-{DAY}-0003.csv"
    good = victim.read_bytes()
    victim.write_bytes(good.replace(b"COMPLETED", b"CANCELLED", 1))
    refused = run(config, folder)

    assert (1, True) == (refused.returncode, victim.name in refused.stderr)

    victim.unlink()
    assert "1 missing parts are back" in finish(config, folder)
    assert good == victim.read_bytes()


def test_sums_that_differ_leave_no_manifest(
    config: Path, connection: Connection, tmp_path: Path
) -> None:
    """A row that is lost between PostgreSQL and the file closes nothing."""
    folder = tmp_path / "out"
    folder.mkdir()
    kill_after(config, folder, 1)
    connection.execute(
        "update headrace.export_part set entry = jsonb_set(entry, '{content}',"
        " (entry->'content') - 0) where part = 24"
    )

    refused = run(config, folder)

    assert (1, True) == (refused.returncode, "disagree" in refused.stderr)
    assert not (folder / MANIFEST).exists()


def test_a_later_charge_counts_on_its_own_day(
    config: Path, connection: Connection, tmp_path: Path
) -> None:
    """An order before midnight with its charge after it: the total once, the charge once."""
    folder = tmp_path / "out"
    connection.execute(
        "update headrace.document set created_at = '2026-03-31 00:00:01+00'"
        " where id = 'payment-012001'"
    )

    first = run(config, folder)
    before = run(config, folder, "--day", "2026-03-30")

    connection.execute(
        "update headrace.document set created_at = '2026-03-31 00:00:00+00'::timestamptz"
        " - interval '1 us' where id = 'payment-012001'"
    )
    assert (0, 0) == (first.returncode, before.returncode), first.stderr + before.stderr
    row = next(one for one in records(folder) if one["order_id"] == "order-012001")
    assert ("", "120.01") == (row["total"], row["captured"])
    eve = (folder / "postings-acme-2026-03-30-0001.csv").read_text(encoding="utf-8").splitlines()
    assert ["order-012001"] == [line.split(",")[0] for line in eve[1:]]
    assert "120.01,EUR,,,,,,,SO012001,BP31" in eve[1]


def test_a_day_that_has_not_begun_is_wrong_usage(config: Path, tmp_path: Path) -> None:
    """The future is refused with exit code 2, before anything is opened."""
    refused = run(config, tmp_path / "out", "--day", "2999-01-01")

    assert (2, True) == (refused.returncode, "has not begun" in refused.stderr)


def test_a_payment_of_its_own_has_a_row(
    config: Path, connection: Connection, tmp_path: Path
) -> None:
    """Without an order, and counted in the sums."""
    folder = tmp_path / "out"
    money = {"amount": "0.50", "currency": "EUR"}
    body = {
        "payment_id": "payment-own",
        "requested_at": "2026-03-31T10:00:00+00:00",
        "reference": "WEB-OWN",
        "provider": "stripe",
        "provider_ref": "pi_own",
        "amount": money,
        "captured": money,
        "refunded": {"amount": "0.00", "currency": "EUR"},
    }
    connection.execute(
        "insert into headrace.document (tenant, kind, id, state, body, created_at)"
        " values ('acme', 'payment', 'payment-own', 'CAPTURED', %s, '2026-03-31 10:00+00')",
        (json.dumps(body),),
    )
    try:
        finish(config, folder)
    finally:
        connection.execute("delete from headrace.document where id = 'payment-own'")

    rows = records(folder)
    assert ROWS + 1 == len(rows)
    (row,) = [one for one in rows if one["payment_id"] == "payment-own"]
    assert ("", "", "", "WEB-OWN", "0.50", "pi_own") == (
        *(row["order_id"], row["state"], row["total"]),
        *(row["reference"], row["captured"], row["provider_ref"]),
    )
