"""The export of collections as people type it: killed at any moment, repeated, read back."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml
from lxml import etree

from adapters.sepa_bank import references
from gateway.model import codec
from gateway.model.identifiers import derived_id
from gateway.model.mandate import Mandate, MandateState
from gateway.model.money import Money
from gateway.model.movement import MovementState
from gateway.model.payment import (
    AttemptState,
    CaptureMethod,
    Payment,
    PaymentAttempt,
    PaymentState,
)
from gateway.runtime import embedded
from gateway.runtime.database import migrate
from tests.e2e.postgres import Postgres
from tests.flows.postgres import own_folder

ROOT = Path(__file__).resolve().parents[2]
TODAY = datetime.now(UTC).date().isoformat()
COUNT = 2_500
NS = {"d": "urn:iso:std:iso:20022:tech:xsd:pain.008.001.08"}
Connection = psycopg.Connection[tuple[Any, ...]]


def mandate() -> Mandate:
    return Mandate(
        mandate_id="M-1",
        system="bank",
        account="main",
        creditor_id="DE98ZZZ09999999999",
        debtor_name="Erika Mustermann",
        iban="DE89370400440532013000",
        signed_at=date.fromisoformat(TODAY),
        signature_type="electronic",
        state=MandateState.ACTIVE,
    )


def promised(number: int) -> Payment:
    nothing, payment_id = Money(0, "EUR"), derived_id(f"payment {number}")
    attempt = PaymentAttempt(attempt_id="a", key="k", state=AttemptState.PENDING, provider="bank")
    return Payment(
        payment_id=payment_id,
        amount=Money(number, "EUR"),
        method_code="sepa_debit",
        capture_method=CaptureMethod.AUTOMATIC,
        mandate_id="M-1",
        provider="bank",
        provider_ref=references.of_payment(payment_id),
        requested_at=f"{TODAY}T06:00:00+00:00",
        state=PaymentState.PENDING,
        progress=PaymentState.PENDING,
        captured=nothing,
        refunded=nothing,
        returned=nothing,
        disputed=nothing,
        attempts=(attempt,),
    )


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A PostgreSQL of its own."""
    folder = own_folder()
    found = embedded.start(folder)
    migrate(found)
    yield found
    Postgres(folder).end()


@pytest.fixture
def connection(url: str) -> Iterator[Connection]:
    """A connection to a database in which payments wait for a file."""
    with psycopg.connect(url, autocommit=True) as found:
        found.execute(
            "truncate headrace.export_run, headrace.export_part, headrace.document,"
            " headrace.reference, headrace.inbox, headrace.outbox"
        )
        insert = (
            "insert into headrace.document (tenant, kind, id, state, body)"
            " values ('acme', %s, %s, %s, %s)"
        )
        body = codec.encode(mandate()).decode()
        found.execute(insert, ("mandate", "M-1", "ACTIVE", body))
        payments = [promised(number) for number in range(1, COUNT + 1)]
        with found.cursor() as cursor:
            cursor.executemany(
                insert,
                [
                    ("payment", one.payment_id, "PENDING", codec.encode(one).decode())
                    for one in payments
                ],
            )
            cursor.executemany(
                "insert into headrace.reference (tenant, entity, entity_id, system, external_id)"
                " values ('acme', 'PAYMENT', %s, 'bank', %s)",
                [(one.payment_id, one.provider_ref) for one in payments],
            )
        yield found


@pytest.fixture
def config(url: str, tmp_path: Path) -> Path:
    """A configuration with a bank."""
    (tmp_path / "tenants").mkdir()
    account = {
        "name": "Headrace GmbH",
        "iban": "DE75512108001245126199",
        "creditor_id": "DE98ZZZ09999999999",
    }
    bank = {"accounts": {"main": account}, "default_account": "main", "initiator": "Headrace"}
    away = "http://127.0.0.1:1"
    area = {"distribution_channel": "10", "division": "00"}
    sap = {"user": "U", "client": "100", "sales_organization": "1710"}
    tenant = {
        "tenant": "acme",
        "currencies": ["EUR"],
        "systems": [
            {"name": "rules", "adapter": "decision_table"},
            {"name": "bank", "adapter": "sepa_bank", "settings": bank},
            {
                "name": "sap",
                "adapter": "sap_s4",
                "settings": {**sap, "base_url": away, "password": "env:KEY", **area},
            },
            {
                "name": "crm",
                "adapter": "salesforce",
                "settings": {"login_url": away, "client_id": "c", "client_secret": "env:KEY"},
            },
        ],
        "routing": {"erp": "sap", "crm": "crm", "risk": "rules", "payments": "bank"},
    }
    (tmp_path / "tenants" / "acme.yaml").write_text(yaml.safe_dump(tenant))
    file = tmp_path / "headrace.yaml"
    file.write_text(yaml.safe_dump({"data": str(tmp_path), "database": {"url": url}}))
    return file


def start(config: Path, *arguments: str, form: str = "--json") -> subprocess.Popen[str]:
    """A command as people type it."""
    paths = os.pathsep.join([str(ROOT), *sys.path])
    return subprocess.Popen(
        [sys.executable, "-m", "gateway", *arguments, "--config", str(config), *form.split()],
        env=os.environ | {"PYTHONPATH": paths, "KEY": "x"},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def collect(config: Path, folder: Path) -> subprocess.Popen[str]:
    out = ("--out", str(folder))
    return start(config, "exports", "run", "collections", "--day", TODAY, *out)


def finish(process: subprocess.Popen[str]) -> Any:
    """What a command says that comes to a good end."""
    out, err = process.communicate(timeout=60)
    assert 0 == process.returncode, err
    return json.loads(out)


def kill_when(process: subprocess.Popen[str], connection: Connection, sql: bytes) -> None:
    """Kill the command as soon as the database says so."""
    until = time.monotonic() + 60
    while not (connection.execute(sql).fetchone() or (False,))[0] and process.poll() is None:
        assert time.monotonic() < until
    process.kill()
    process.communicate()


def test_deaths_change_no_byte(config: Path, connection: Connection, tmp_path: Path) -> None:
    """Killed early, at work and after the freeze: each payment stands in the file once."""
    folder = tmp_path / "out"
    for delay_s in (0.6, 1.0, 1.4):
        early = collect(config, folder)
        with pytest.raises(subprocess.TimeoutExpired):
            early.wait(delay_s)
        early.kill()
        early.communicate()
    kill_when(collect(config, folder), connection, b"select count(*) > 0 from headrace.export_run")
    frozen = connection.execute("select cutoff, count(*) from headrace.export_run group by 1")
    assert 1 == len(frozen.fetchall())

    (made,) = finish(collect(config, folder))
    file = folder / made["manifest"]["file"]
    body = file.read_bytes()
    file.unlink()
    (again,) = finish(collect(config, folder))
    calm = finish(collect(config, folder))

    ids = etree.fromstring(body).xpath("//d:EndToEndId/text()", namespaces=NS)
    wanted = {promised(number).provider_ref for number in range(1, COUNT + 1)}
    assert (COUNT, wanted) == (len(ids), set(ids))
    assert (made["manifest"], body) == (again["manifest"], file.read_bytes())
    assert (True, False) == (again["written"], calm[0]["written"])
    assert f"{COUNT * (COUNT + 1) / 200:.2f}" == made["manifest"]["total"]
    found = connection.execute(
        "select distinct body->'movements'->0->>'state' from headrace.document"
        " where kind = 'payment'"
    )
    assert [(MovementState.PENDING.value,)] == found.fetchall()


def test_a_refused_whole_file_is_read_once(
    config: Path, connection: Connection, tmp_path: Path
) -> None:
    """Our own record names the payments; the second reading finds nothing new."""
    (made,) = finish(collect(config, tmp_path / "out"))
    report = tmp_path / "report.xml"
    message_id = made["manifest"]["message_id"]
    report.write_text(
        "<Document xmlns='urn:iso:std:iso:20022:tech:xsd:pain.002.001.10'><CstmrPmtStsRpt>"
        f"<OrgnlGrpInfAndSts><OrgnlMsgId>{message_id}</OrgnlMsgId><GrpSts>RJCT</GrpSts>"
        "</OrgnlGrpInfAndSts></CstmrPmtStsRpt></Document>"
    )

    first, second = (finish(start(config, "bank", "read", str(report))) for _ in range(2))

    assert [(COUNT, COUNT), (COUNT, 0)] == [(one["rows"], one["new"]) for (one,) in (first, second)]


def test_other_files_are_refused(config: Path, connection: Connection, tmp_path: Path) -> None:
    """With a sentence, and nothing is kept."""
    file = tmp_path / "letter.txt"
    file.write_text("Dear customer,")

    process = start(config, "bank", "read", str(file))
    _, err = process.communicate(timeout=60)

    assert 1 == process.returncode
    assert "no MT940" in err
    found = connection.execute("select count(*) from headrace.inbox").fetchone()
    assert (0,) == found


def test_people_are_told_too(config: Path, connection: Connection, tmp_path: Path) -> None:
    """A table of files; and what is not there is said as wrong usage."""
    run = ("exports", "run", "collections", "--day", TODAY)
    report = tmp_path / "report.xml"
    report.write_text(
        "<Document xmlns='urn:iso:std:iso:20022:tech:xsd:pain.002.001.10'><CstmrPmtStsRpt>"
        "<OrgnlGrpInfAndSts><OrgnlMsgId>M</OrgnlMsgId><GrpSts>ACCP</GrpSts></OrgnlGrpInfAndSts>"
        "</CstmrPmtStsRpt></Document>"
    )
    told = []
    for arguments in (
        run,
        ("exports", "run", "transfers", "--day", TODAY),
        (*run, "--account", "none"),
        ("exports", "run", "collections", "--day", "2999-01-01"),
        ("bank", "read", str(report)),
        ("bank", "read", str(report), "--system", "none"),
    ):
        process = start(config, *arguments, form="")
        out, err = process.communicate(timeout=60)
        told.append((process.returncode, out + err))

    assert [0, 0, 2, 2, 0, 2] == [code for code, _ in told]
    for (_, text), wanted in zip(
        told,
        (str(COUNT), "nothing is due", "no such bank", "not begun", "report.xml", "--system"),
        strict=True,
    ):
        assert wanted in text
