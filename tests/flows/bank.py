"""A stage with a bank: its accounts are configured, and nothing is behind it but files."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import yaml

from gateway import configuring
from gateway.flows import export_bank_files
from gateway.flows.import_bank_file import Read, import_bank_file
from gateway.model import codec
from gateway.model.mandate import Mandate
from gateway.model.payment import Payment
from gateway.runtime.bank_runs import BankRun, Outcome
from gateway.runtime.database import Database
from tests.flows.stage import TENANT, Life, Stage

SYSTEM: Final = "bank"
# PostgreSQL says when rows are frozen; everything else is counted from this day.
TODAY: Final = datetime.now(UTC).date()
IBAN: Final = "DE89370400440532013000"
ACCOUNT: Final[dict[str, Any]] = {
    "name": "Headrace GmbH",
    "iban": "DE75512108001245126199",
    "bic": "SOGEDEFF",
    "creditor_id": "DE98ZZZ09999999999",
}


def with_bank(
    folder: Path, stage: Stage, *, account: Mapping[str, Any] = ACCOUNT, **settings: Any
) -> Stage:
    """The stage, with a bank connected."""
    file = folder / "tenants" / "acme.yaml"
    tenant = yaml.safe_load(file.read_text())
    known = {
        "accounts": {"main": dict(account)},
        "default_account": "main",
        "initiator": "Headrace GmbH",
    }
    tenant["systems"].append(
        {"name": SYSTEM, "adapter": "sepa_bank", "settings": {**known, **settings}}
    )
    file.write_text(yaml.safe_dump(tenant))
    stage.configuration = configuring.configure(folder / "headrace.yaml")
    return stage


def in_days(count: int) -> str:
    """The day so many days after today, ISO 8601."""
    return (TODAY + timedelta(days=count)).isoformat()


class Desk:
    """What a front-end and an operator do with the bank.

    Attributes:
        folder: Where files go.
    """

    def __init__(self, stage: Stage, life: Life, folder: Path) -> None:
        self.stage = stage
        self.life = life
        self.folder = folder
        self._number = 0

    async def post(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """The answer to a request with a key of its own."""
        self._number += 1
        headers = {"Idempotency-Key": f"k-{self._number}"}
        return await self.stage.api.post(path, json=body or {}, headers=headers)

    async def sign(self, **fields: Any) -> str:
        """A mandate that a debtor has signed; its id."""
        known = {"debtor_name": "Erika Mustermann", "iban": IBAN, "signed_at": in_days(-300)}
        answer = await self.post("/v1/mandates", known | fields)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["mandate_id"])

    async def ask(self, mandate_id: str, amount: str = "19.90", **payment: Any) -> Any:
        """The answer to a payment by this mandate."""
        instruction = {"method_code": "sepa_debit", "mandate_id": mandate_id, **payment}
        money = {"amount": amount, "currency": "EUR"}
        return await self.post("/v1/payments", {"amount": money, "payment": instruction})

    async def pay(self, mandate_id: str, amount: str = "19.90", **payment: Any) -> str:
        """A payment by this mandate, promised; its id."""
        answer = await self.ask(mandate_id, amount, **payment)
        assert answer.status_code == 201, answer.text
        await self.work()
        return str(answer.json()["payment_id"])

    async def work(self) -> None:
        """Run what is due, and apply what was read."""
        while await self.life.work() + await self.life.apply():
            pass

    async def payment(self, payment_id: str) -> Payment:
        """The payment as it stands."""
        return codec.decode(await self._body("payment", payment_id), Payment)

    async def mandate(self, mandate_id: str) -> Mandate:
        """The mandate as it stands, with everything."""
        return codec.decode(await self._body("mandate", mandate_id), Mandate)

    async def export(
        self, kind: str = "collections", *, day: date | None = None, port: Any = None
    ) -> Outcome:
        """Run the export of a day, today's unless told otherwise."""
        run = BankRun(
            database=self.database,
            kind=kind,
            tenant=TENANT,
            system=SYSTEM,
            account="main",
            day=day or TODAY,
            folder=self.folder,
        )
        export = getattr(export_bank_files, f"export_{kind}")
        outcome: Outcome = await export(run, port or self.port)
        return outcome

    async def read(self, document: bytes, name: str = "file.xml") -> Read:
        """Take a file of the bank, and apply what it says."""
        file = self.folder / name
        file.write_bytes(document)
        with file.open("rb") as source:
            found = await import_bank_file(
                self.database, self.port, source, tenant=TENANT, system=SYSTEM, name=name
            )
        await self.work()
        return found

    async def inbox(self) -> list[tuple[str, str]]:
        """State and reason of what was read, oldest first."""
        found = await self.stage.rows("select state, reason from headrace.inbox order by seq")
        return [(state, reason) for state, reason in found]

    async def events(self, aggregate: str) -> list[str]:
        """The words of our own events about such things, oldest first."""
        found = await self.stage.rows(
            "select type from headrace.outbox where aggregate = %s order by seq", aggregate
        )
        return [kind.split(".")[2] for (kind,) in found]

    @property
    def database(self) -> Database:
        """The worker's."""
        return self.life.parts.database

    @property
    def settings(self) -> Any:
        """The bank's, as they were typed."""
        return self.stage.configuration.systems[TENANT][SYSTEM][1]

    @property
    def port(self) -> Any:
        """The bank's files."""
        return self.stage.configuration.port(TENANT, SYSTEM, "bank_files")

    async def _body(self, kind: str, key: str) -> str:
        sql = "select body::text from headrace.document where kind = %s and id = %s"
        ((body,),) = await self.stage.rows(sql, kind, key)
        return str(body)
