"""A stage where money leaves: two clients, Stripe, PayPal and Adyen's platform, and a limit."""

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
import yaml

from adapters.adyen_platform.simulator import AdyenPlatformSimulator
from adapters.paypal.simulator import PayPalSimulator
from adapters.stripe.simulator import StripeSimulator
from gateway import configuring
from gateway.kit.simulator import SimulatedWire
from gateway.model import codec
from gateway.model.identifiers import new_id
from gateway.model.payout import Payout, PayoutState
from tests.flows.around import Around
from tests.flows.stage import Life, Stage

_KEYS: Final = {"shop": "key-of-the-shop", "finance": "key-of-finance"}
_TURNS: Final = 60


# How PostgreSQL writes bytea into JSON.
_BYTES: Final = re.compile(r"\\\\x([0-9a-f]+)")


def _spelt(found: re.Match[str]) -> str:
    return bytes.fromhex(found[1]).decode("utf-8", "replace")


class Till(Around):
    """What front-ends and simulators do about money that leaves.

    Attributes:
        stage: With the tenant.
        life: One worker.
    """

    def __init__(
        self, stage: Stage, life: Life, paypal: PayPalSimulator, adyen: AdyenPlatformSimulator
    ) -> None:
        self.stage = stage
        self.life = life
        self.paypal = paypal
        self.adyen = adyen

    @classmethod
    @asynccontextmanager
    async def opened(
        cls,
        folder: Path,
        url: str,
        monkeypatch: pytest.MonkeyPatch,
        *,
        systems: Sequence[Mapping[str, Any]] = (),
        **changes: Any,
    ) -> AsyncIterator["Till"]:
        """The till of the tenant ``acme``.

        Args:
            systems: Further ones.
            changes: Other settings of the tenant.
        """
        for client, key in (*_KEYS.items(), ("paypal", "simulated"), ("hmac", "44" * 32)):
            monkeypatch.setenv(f"TILL_{client}", key)
        stage = Stage(folder, url)
        _configure(folder, systems, changes)
        stage.configuration = configuring.configure(folder / "headrace.yaml")
        paypal = PayPalSimulator()
        adyen = AdyenPlatformSimulator(webhook_url="http://hub/webhooks/acme/adyen_platform")
        stage.wire = SimulatedWire(
            {**stage.wire._simulators, "paypal": paypal, "adyen": adyen}, clock=stage.now
        )
        async with stage.facade(), stage.life() as life:
            yield cls(stage, life, paypal, adyen)

    @property
    def stripe(self) -> StripeSimulator:
        """The simulated Stripe."""
        return self.stage.stripe

    async def post(
        self, path: str, body: Any, *, client: str = "shop", key: str = "k"
    ) -> httpx.Response:
        """Ask for something; None sends no body."""
        headers = {"Authorization": f"Bearer {_KEYS[client]}", "Idempotency-Key": key}
        return await self.stage.api.post(path, headers=headers, **_sent(body))

    async def put(self, path: str, body: Any, *, key: str) -> httpx.Response:
        """Tell something."""
        headers = {"Authorization": f"Bearer {_KEYS['shop']}", "Idempotency-Key": key}
        return await self.stage.api.put(path, headers=headers, json=body)

    async def get(self, path: str) -> httpx.Response:
        """Look at something."""
        return await self.stage.api.get(path, headers={"Authorization": f"Bearer {_KEYS['shop']}"})

    async def ask(
        self,
        *,
        amount: str = "50.00",
        currency: str = "EUR",
        provider: str = "stripe",
        destination: Mapping[str, str] | None = None,
        **fields: Any,
    ) -> httpx.Response:
        """Ask for a payout."""
        usual = {"email": "ada@example.com"} if provider == "paypal" else {"account": "acct_1"}
        body = {
            "provider": provider,
            "amount": {"amount": amount, "currency": currency},
            "destination": usual if destination is None else destination,
            **fields,
        }
        return await self.post("/v1/payouts", body, key=new_id())

    async def submit(self, **fields: Any) -> Payout:
        """Ask for a payout that is taken."""
        answer = await self.ask(**fields)
        assert answer.status_code == 201, answer.text
        return codec.decode(answer.content, Payout)

    async def payout(self, payout: Payout) -> Payout:
        """The payout as it is stored."""
        (row,) = await self.rows(
            "select body::text from headrace.document where kind = 'payout' and id = %s",
            payout.payout_id,
        )
        return codec.decode(row[0], Payout)

    async def told(self, payout: Payout) -> list[str]:
        """Our events of the payout, in order."""
        return await self.told_of(payout.payout_id)

    async def told_of(self, entity_id: str) -> list[str]:
        """Our events of a thing, in order."""
        found = await self.rows(
            "select type from headrace.outbox where aggregate_id = %s order by sequence", entity_id
        )
        return [kind for (kind,) in found]

    async def kept(self, table: str) -> str:
        """All that is stored in a table, bytes as text; evidence is waited for."""
        await self.life.parts.journal._evidence._queue.join()
        found = await self.rows(
            f"select to_jsonb(t)::text from headrace.{table} t"  # noqa: S608 - names of ours
        )
        return _BYTES.sub(_spelt, "\n".join(row for (row,) in found))

    def left(self, payout: Payout) -> int:
        """How often money left for it."""
        simulators = {"paypal": self.paypal, "adyen_platform": self.adyen, "stripe": self.stripe}
        counted = simulators[payout.provider].effects()["payout"]
        return counted.get(payout.payout_id, 0)

    async def deliver(self) -> int:
        """Hand the webhooks that are due to the facade; returns how many were taken."""
        taken = await super().deliver()
        for request in self.adyen.due(now=self.now()):
            taken += await self.stage.deliver_one(request) == httpx.codes.ACCEPTED
        return taken

    async def settle(self) -> None:
        """Work and deliver until nothing moves, also after the pauses of doubt."""
        still = 0
        for _ in range(_TURNS):
            moved = await self.life.work() + await self.deliver() + await self.life.apply()
            still = 0 if moved else still + 1
            if still > 1:
                return
            if not moved:
                await self.stage.pass_time()
        raise AssertionError("it does not come to rest")

    async def finish(
        self, payout: Payout, *, state: PayoutState = PayoutState.PAID, webhooks: bool = True
    ) -> None:
        """Work, deliver and let time pass until the payout is there."""
        for _ in range(_TURNS):
            moved = await self.life.work()
            if webhooks:
                moved += await self.deliver()
            moved += await self.life.apply()
            if (await self.payout(payout)).state is state and not moved:
                return
            if not moved:
                self.stage.offset_s += 3_600
                await self.stage.pass_time()
        raise AssertionError(f"the payout does not get there: {await self.payout(payout)}")


def _sent(body: Any) -> dict[str, Any]:
    return {} if body is None else {"json": body}


def _configure(
    folder: Path, systems: Sequence[Mapping[str, Any]], changes: Mapping[str, Any]
) -> None:
    """The stage's own files with clients, more systems and a limit."""
    process, tenant = folder / "headrace.yaml", folder / "tenants" / "acme.yaml"
    typed = yaml.safe_load(process.read_text())
    typed["server"]["api_keys"] = [
        {"client": client, "tenant": "acme", "key": f"env:TILL_{client}"} for client in _KEYS
    ]
    process.write_text(yaml.safe_dump(typed))
    acme = yaml.safe_load(tenant.read_text())
    stripe = next(one for one in acme["systems"] if one["name"] == "stripe")
    acme["systems"].append(
        {
            "name": "paypal",
            "adapter": "paypal",
            "policy": stripe["policy"],
            "settings": {
                "base_url": "http://paypal",
                "client_id": "simulated",
                "client_secret": "env:TILL_paypal",
                "webhook_id": "W",
            },
        }
    )
    acme["systems"].append(
        {
            "name": "adyen_platform",
            "adapter": "adyen_platform",
            "policy": stripe["policy"],
            "settings": {
                "base_url": "http://adyen/btl/v4",
                "api_key": "env:TILL_paypal",
                "balance_account": "BA00000000000000000000001",
                "webhook_secrets": ["env:TILL_hmac"],
            },
        }
    )
    acme["payouts"] = {"approve_from": {"EUR": "100.00"}}
    acme["systems"] += systems
    tenant.write_text(yaml.safe_dump(acme | changes))
