"""A stage with providers that hold mandates: what front-ends, payers and simulators do."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import httpx
import yaml

from adapters.gocardless.simulator import GoCardlessSimulator
from adapters.mollie.simulator import MollieSimulator
from adapters.paypal.mandates import customer_of
from adapters.paypal.simulator import PayPalSimulator
from gateway import configuring
from gateway.kit.simulator import SimulatedWire
from gateway.model import codec
from gateway.model.held_mandate import HeldMandate
from gateway.model.identifiers import new_id
from gateway.model.payment import Payment
from tests.flows.around import Around
from tests.flows.stage import Life, Stage

BACK: Final = "https://shop.example/back"
OWNER: Final = {"debtor_name": "Erika Mustermann", "iban": "DE89 3704 0044 0532 0130 00"}
# How a front-end asks each provider for a mandate.
SAMPLES: Final[dict[str, dict[str, str]]] = {
    "gocardless": {"system": "gocardless", "method_code": "sepa_debit", "return_url": BACK},
    "stripe": {"system": "stripe", "method_code": "card_on_file", "return_url": BACK},
    "stripe_debit": {
        "system": "stripe",
        "method_code": "sepa_debit",
        "email": "erika@example.com",
        **OWNER,
    },
    "mollie": {"system": "mollie", "method_code": "sepa_debit", **OWNER},
    "paypal": {"system": "paypal", "method_code": "paypal_vault", "return_url": BACK},
}
_TURNS: Final = 120
_SECRET: Final = "simulated_webhook"


class Desk(Around):
    """What happens around mandates.

    Attributes:
        stage: With the tenant.
        life: One worker.
        gocardless, mollie, paypal: Simulators.
    """

    def __init__(
        self,
        stage: Stage,
        life: Life,
        gocardless: GoCardlessSimulator,
        mollie: MollieSimulator,
        paypal: PayPalSimulator,
    ) -> None:
        self.stage = stage
        self.life = life
        self.gocardless = gocardless
        self.mollie = mollie
        self.paypal = paypal

    @classmethod
    @asynccontextmanager
    async def opened(cls, folder: Path, url: str) -> AsyncIterator["Desk"]:
        """The desk of the tenant ``acme``."""
        stage = Stage(folder, url)
        _configure(folder)
        stage.configuration = configuring.configure(folder / "headrace.yaml")
        gocardless = GoCardlessSimulator(
            webhook_url="http://hub/webhooks/acme/gocardless", webhook_secret=_SECRET
        )
        mollie, paypal = MollieSimulator(), PayPalSimulator()
        stage.wire = SimulatedWire(
            {
                **stage.wire._simulators,
                "gocardless": gocardless,
                "mollie": mollie,
                "paypal": paypal,
            },
            clock=stage.now,
        )
        async with stage.facade(), stage.life() as life:
            yield cls(stage, life, gocardless, mollie, paypal)

    async def post(self, path: str, body: Any = None, *, prefer: str = "") -> httpx.Response:
        """Ask for something; None sends no body."""
        headers = {"Idempotency-Key": new_id(), **({"Prefer": prefer} if prefer else {})}
        sent = {} if body is None else {"json": body}
        return await self.stage.api.post(path, headers=headers, **sent)

    async def ask(self, *, prefer: str = "", **fields: Any) -> httpx.Response:
        """Ask for a mandate."""
        body = {"customer_id": "C-1", **SAMPLES[fields.pop("sample", "gocardless")]}
        return await self.post("/v1/mandates", body | fields, prefer=prefer)

    async def submit(self, **fields: Any) -> HeldMandate:
        """Ask for a mandate, and see what its provider has answered."""
        answer = await self.ask(**fields)
        assert answer.status_code == 201, answer.text
        await self.work()
        return await self.mandate(answer.json()["mandate_id"])

    async def active(self, **fields: Any) -> HeldMandate:
        """A mandate that its payer has agreed to."""
        made = await self.submit(**fields)
        await self.sign(made)
        return await self.mandate(made.mandate_id)

    async def sign(self, mandate: HeldMandate) -> None:
        """The payer agrees on the page, and everything is told."""
        self.sign_page(mandate)
        await self.react()

    def sign_page(self, mandate: HeldMandate) -> None:
        """The payer agrees on the page."""
        assert mandate.next_action is not None
        if mandate.system == "paypal":
            self.paypal.vault.approve(mandate.request_ref)
            return
        if mandate.system == "stripe":
            self.stage.stripe.setups.sign(mandate.request_ref, now=self.now())
            return
        self.gocardless.sign(mandate.next_action.url.rpartition("=")[2], now=self.now())

    def is_signed(self, mandate: HeldMandate) -> bool:
        """Whether the payer has agreed, as the provider has it."""
        if mandate.system == "paypal":
            return self.paypal.vault._setups[mandate.request_ref][0]["status"] == "APPROVED"
        if mandate.system == "stripe":
            return not self.stage.stripe.setups.is_open(mandate.request_ref)
        requests = self.gocardless.mandates._requests
        return requests[mandate.request_ref]["status"] == "fulfilled"

    def effects(self, mandate: HeldMandate) -> int:
        """How many there are at the provider by which money can be collected."""
        simulators: dict[str, Any] = {
            "gocardless": self.gocardless,
            "mollie": self.mollie,
            "stripe": self.stage.stripe,
        }
        if mandate.system == "paypal":
            return self.paypal.effects()["mandate"].get(customer_of(mandate.mandate_id), 0)
        counted: dict[str, int] = simulators[mandate.system].effects()["mandate"]
        return counted.get(mandate.mandate_id, 0)

    async def mandate(self, mandate_id: str) -> HeldMandate:
        """The mandate as it is stored."""
        ((body,),) = await self.rows(
            "select body::text from headrace.document where kind = 'held_mandate' and id = %s",
            mandate_id,
        )
        return codec.decode(body, HeldMandate)

    async def told(self, mandate_id: str) -> list[str]:
        """Our events of a mandate, in order: the words only."""
        found = await self.rows(
            "select type from headrace.outbox where aggregate_id = %s order by sequence", mandate_id
        )
        return [kind.removeprefix("headrace.mandate.").removesuffix(".v1") for (kind,) in found]

    async def pay(self, mandate_id: str, **fields: Any) -> httpx.Response:
        """Ask for a payment by a mandate."""
        paid = {"method_code": "sepa_debit", "mandate_id": mandate_id}
        body = {
            "amount": {"amount": "19.99", "currency": fields.pop("currency", "EUR")},
            "payment": paid | fields.pop("payment", {}),
        }
        return await self.post("/v1/payments", body | fields)

    async def payment(self, payment_id: str) -> Payment:
        """The payment as it is stored."""
        ((body,),) = await self.rows(
            "select body::text from headrace.document where kind = 'payment' and id = %s",
            payment_id,
        )
        return codec.decode(body, Payment)

    async def deliver(self) -> int:
        """Hand the webhooks that are due to the facade; returns how many were taken."""
        taken = await super().deliver()
        for request in self.gocardless.due(now=self.now()):
            taken += await self.stage.deliver_one(request) == httpx.codes.NO_CONTENT
        return taken

    async def expire_leases(self) -> None:
        """Whoever runs a flow, or a look-up, has been silent for too long."""
        await self.stage.expire_leases()
        await self.rows(
            "update absurd.r_webhook set claim_expires_at = now() - interval '1 second'"
            " where state = 'running'"
        )
        await self.rows(
            "select absurd.fail_run('webhook', run_id, '{}') from absurd.r_webhook"
            " where state = 'running'"
        )
        # Whoever waits for the turn of the dead lets no time pass.
        await self._hurry()

    async def pass_time(self) -> None:
        """Whatever waits for a moment is due, look-ups too."""
        self.stage.offset_s += 3_600
        await self.stage.pass_time()
        await self._hurry()

    async def _hurry(self) -> None:
        await self.rows(
            "update absurd.r_webhook set available_at = now() where state <> 'running'"
            " and available_at < 'infinity'"
        )

    async def until(self, mandate_id: str, is_there: Callable[[HeldMandate], bool]) -> HeldMandate:
        """Work, deliver and let time pass until the mandate is there and nothing moves."""
        for _ in range(_TURNS):
            moved = await self.life.work() + await self.deliver() + await self.life.apply()
            found = await self.mandate(mandate_id)
            if is_there(found) and not moved:
                return found
            if not moved:
                await self.pass_time()
        raise AssertionError(f"the mandate does not get there: {found}")

    async def settle(self) -> None:
        """Work and deliver until nothing moves, also after pauses of days."""
        still = 0
        for _ in range(_TURNS):
            moved = await self.life.work() + await self.deliver() + await self.life.apply()
            still = 0 if moved else still + 1
            if still > 1:
                return
            if not moved:
                await self.pass_time()
        raise AssertionError("it does not come to rest")

    async def kept(self) -> str:
        """All that is stored anywhere but in the documents; evidence is waited for."""
        await self.life.parts.journal._evidence._queue.join()
        found = await self.rows(
            "select table_schema || '.' || quote_ident(table_name) from information_schema.tables"
            " where table_schema in ('headrace', 'absurd') and table_type = 'BASE TABLE'"
        )
        texts = []
        for (table,) in found:
            rows = await self.rows(f"select to_jsonb(t)::text from {table} t")  # noqa: S608 - ours
            texts += [f"{table}: {row}" for (row,) in rows]
        return "\n".join(texts)


def _configure(folder: Path) -> None:
    """The stage's own files with systems that hold mandates."""
    file = folder / "tenants" / "acme.yaml"
    acme = yaml.safe_load(file.read_text())
    policy = next(one["policy"] for one in acme["systems"] if one["name"] == "stripe")
    settings = {
        "base_url": "http://gocardless",
        "access_token": "env:STAGE_GOCARDLESS_TOKEN",
        "webhook_secrets": ["env:STAGE_GOCARDLESS_WEBHOOK"],
    }
    for name in ("gocardless", "gocardless_uk"):
        acme["systems"].append(
            {"name": name, "adapter": "gocardless", "policy": policy, "settings": settings}
        )
    settings = {"base_url": "http://mollie/v2", "api_key": "env:STAGE_MOLLIE_KEY"}
    acme["systems"].append(
        {"name": "mollie", "adapter": "mollie", "policy": policy, "settings": settings}
    )
    settings = {
        "base_url": "http://paypal",
        "client_id": "simulated",
        "client_secret": "env:STAGE_PAYPAL_SECRET",
        "webhook_id": "W",
    }
    acme["systems"].append(
        {"name": "paypal", "adapter": "paypal", "policy": policy, "settings": settings}
    )
    file.write_text(yaml.safe_dump(acme))
