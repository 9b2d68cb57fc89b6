"""Our payment file and our readers against a bank that nobody here wrote.

Over HTTP: ``POST /payments`` takes the pain.008; its mailbox gives pain.002, camt.054 and camt.053.
``Bank`` knows nothing of the tests, so that flows can be joined to it: ``send`` what is written,
let ``refuse`` and ``advance`` happen, and read what ``collected`` gives.
"""

import datetime as dt
import io
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import requests

from gateway.kit.sepa import reasons
from gateway.kit.sepa.documents import statements, statuses
from gateway.kit.sepa.documents.writing import PAIN_008_08
from gateway.model.bank import BankAccount, Collection, Direction, Entry
from gateway.model.money import Money
from tests.unit.kit.sepa.documents.samples import ACCOUNTS, DUE, NOW, collection, write

mockbank = pytest.importorskip("mockbank", reason="mock-bank is not installed")
server = pytest.importorskip("mockbank.server", reason="mock-bank is not installed")
pytestmark = pytest.mark.peers

# Accounts it starts with: ours has to be one of them, and one debtor has 12.50 EUR and no more.
ACME, GLOBEX = "NL41MOCK0000000001", "NL14MOCK0000000002"
OURS: Final = BankAccount(
    name="Acme Procurement", iban=ACME, bic="MOCKNL2A", creditor_id=ACCOUNTS["main"].creditor_id
)


class Bank:
    """A running mock-bank; its time moves only when it is told to."""

    def __init__(self, address: str, session: requests.Session) -> None:
        self._address = address
        self._session = session

    def send(self, file: Path) -> dict[str, Any]:
        """Hand in a payment file; what the bank says at once."""
        answer = self._call("POST", "payments", data=file.read_bytes())
        assert answer.status_code in {202, 422}, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def collected(self, kind: str) -> list[bytes]:
        """The documents of a kind that wait in the mailbox, such as pain.002; they are taken."""
        rows = self._call("GET", "_mock/mailbox", params={"type": kind}).json()
        paths = [f"_mock/mailbox/{row['id']}" for row in rows]
        return [self._call("GET", path).content for path in paths]

    def refuse(self, end_to_end_id: str, reason: str) -> None:
        """The debtor's bank says no; after the collection was booked, the money goes back."""
        path = f"_mock/collections/{end_to_end_id}/refuse"
        self._call("POST", path, json={"reason": reason}).raise_for_status()

    def advance(self, to: dt.date) -> None:
        """Let the days pass until this one; what is due happens."""
        params = {"to": to.isoformat()}
        self._call("POST", "_mock/advance", params=params).raise_for_status()

    def balance(self) -> int:
        """Of our account, in cents."""
        rows = self._call("GET", "_mock/accounts").json()
        return next(int(row["balance"]) for row in rows if row["iban"] == ACME)

    def _call(self, method: str, path: str, **given: Any) -> requests.Response:
        return self._session.request(method, f"{self._address}/{path}", timeout=10, **given)


@pytest.fixture
def bank() -> Iterator[Bank]:
    """A bank on the day on which the file is written."""
    made = server.make_server(server.Config(port=0, quiet=True, clock=f"{NOW:%Y-%m-%dT%H:%M}"))
    thread = threading.Thread(target=made.serve_forever, daemon=True)
    thread.start()
    with requests.Session() as session:
        session.trust_env = False
        yield Bank(f"http://127.0.0.1:{made.server_address[1]}", session)
    made.shutdown()
    thread.join(timeout=10)
    made.server_close()


@pytest.fixture
def file(tmp_path: Path) -> Any:
    """Write collections for our account at this bank."""

    def written(*rows: Collection) -> Path:
        target = tmp_path / "collections.xml"
        write(PAIN_008_08, rows, target, accounts={"main": OURS})
        return target

    return written


def read_statuses(bank: Bank) -> dict[str, tuple[str, str]]:
    """Status and reason of each payment in the reports that wait."""
    found = [one for body in bank.collected("pain.002") for one in statuses.read(io.BytesIO(body))]
    assert [] == [problem for one in found for problem in one.problems]
    return {one.end_to_end_id: (one.status, one.reason_code) for one in found if one.end_to_end_id}


def read_entries(bank: Bank, kind: str) -> list[Entry]:
    """The lines of the documents that wait."""
    found = [one for body in bank.collected(kind) for one in statements.read(io.BytesIO(body))]
    assert [] == [problem for one in found for problem in one.problems]
    return found


def test_the_bank_takes_every_collection(bank: Bank, file: Any) -> None:
    """Schemes, sequences, dates and the edges of amounts: accepted, booked, and read back."""
    rows = [
        collection(
            end_to_end_id=f"E-{number}",
            mandate_id=f"M-{number}",
            scheme=scheme,
            sequence_type=sequence,
            due=DUE + dt.timedelta(days=number % 3),
            amount=Money(minor, "EUR"),
            debtor_name="Jörg Müßig & Söhne",
            remittance=f"Rent {number}",
        )
        for number, (scheme, sequence, minor) in enumerate(
            (scheme, sequence, minor)
            for scheme in ("CORE", "B2B")
            for sequence in ("FRST", "RCUR", "FNAL", "OOFF")
            for minor in (1, 1990, 99_999_999_999)
        )
    ]
    before = bank.balance()
    answer = bank.send(file(*rows))
    said = read_statuses(bank)
    bank.advance(DUE + dt.timedelta(days=7))
    entries = read_entries(bank, "camt.054")

    assert "ACCP" == answer["status"], answer
    assert {row.end_to_end_id: ("ACCP", "") for row in rows} == said
    assert {(row.end_to_end_id, row.amount, row.mandate_id) for row in rows} == {
        (one.end_to_end_id, one.amount, one.mandate_id) for one in entries
    }
    assert {(Direction.CREDIT, None)} == {
        (one.direction, statements.returned(one)) for one in entries
    }
    assert before + sum(row.amount.minor for row in rows) == bank.balance()
    print(f"\nmock-bank: {len(rows)} collections accepted, booked and read back")


def test_insufficient_funds_at_once(bank: Bank, file: Any) -> None:
    """The bank knows the debtor's account: AM04 comes in its pain.002, for this payment only."""
    bank.send(
        file(
            collection(end_to_end_id="E-1"),
            collection(end_to_end_id="E-2", mandate_id="M-2", debtor_iban=GLOBEX),
            collection(end_to_end_id="E-3", mandate_id="M-3"),
        )
    )
    (body,) = bank.collected("pain.002")
    found = [one for one in statuses.read(io.BytesIO(body)) if one.end_to_end_id]
    refused = {one.end_to_end_id: statuses.refused(one) for one in found}

    assert {"E-1": None, "E-2": reasons.of("AM04"), "E-3": None} == refused
    assert {reasons.Next.RETRY} == {one.then for one in refused.values() if one}


def test_insufficient_funds_after_booking(bank: Bank, file: Any) -> None:
    """The money was there and goes back: notice and statement both name AM04 and the collection."""
    before = bank.balance()
    bank.send(
        file(
            collection(end_to_end_id="E-1"),
            collection(end_to_end_id="E-2", mandate_id="M-2", amount=Money(2_550, "EUR")),
        )
    )
    assert {"E-1": ("ACCP", ""), "E-2": ("ACCP", "")} == read_statuses(bank)
    bank.advance(DUE)
    assert {"E-1", "E-2"} == {one.end_to_end_id for one in read_entries(bank, "camt.054")}

    bank.refuse("E-2", "AM04")
    (notice,) = read_entries(bank, "camt.054")
    bank.advance(DUE + dt.timedelta(days=1))
    lines = read_entries(bank, "camt.053")

    (line,) = [one for one in lines if statements.returned(one)]
    for one in (notice, line):
        assert ("E-2", Money(2_550, "EUR")) == (one.end_to_end_id, one.amount)
        assert reasons.of("AM04") == statements.returned(one)
    assert before + 1990 == bank.balance()


@pytest.mark.parametrize("reason", ["AC04", "MD01", "MD06", "MS02"])
def test_other_reasons_come_back(bank: Bank, file: Any, reason: str) -> None:
    """Each with the code that decides what becomes of claim and mandate."""
    bank.send(file(collection()))
    bank.advance(DUE)
    bank.refuse("E-1", reason)

    back = [one for one in read_entries(bank, "camt.054") if statements.returned(one)]
    assert [("E-1", reason)] == [(one.end_to_end_id, one.reason_code) for one in back]


def test_refused_before_booking(bank: Bank, file: Any) -> None:
    """Nothing is booked, and a further pain.002 says why."""
    bank.send(file(collection()))
    assert {"E-1": ("ACCP", "")} == read_statuses(bank)
    bank.refuse("E-1", "AM04")

    assert {"E-1": ("RJCT", "AM04")} == read_statuses(bank)
    bank.advance(DUE + dt.timedelta(days=1))
    assert [] == read_entries(bank, "camt.053")


def test_the_same_batch_again(bank: Bank, file: Any) -> None:
    """Written once more it has the same message id, so the bank refuses it: booked is once."""
    before = bank.balance()
    assert "ACCP" == bank.send(file(collection()))["status"]
    assert "RJCT" == bank.send(file(collection()))["status"]

    bank.advance(DUE)
    assert before + 1990 == bank.balance()
