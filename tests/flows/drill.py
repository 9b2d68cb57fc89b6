"""A drill: payments at every provider, while answers are lost, webhooks stray and workers die.

Everything is drawn from one seed. The simulators count what they really did.
"""

import functools
import random
from collections import Counter
from pathlib import Path
from typing import Any, Final

import httpx
import msgspec

from adapters.paypal.simulator_webhooks import ROOT
from gateway.kit.simulator import SimulatedWire
from gateway.model import codec
from gateway.model.payment import Payment, PaymentState
from gateway.policy import collecting
from tests.conformance.subject import Account
from tests.flows import further
from tests.flows.doom import Doom, Mortal
from tests.flows.reckoning import Wish, faults_of, subjects
from tests.flows.stage import TENANT, Life, Stage

_READS: Final = frozenset({"GET", "HEAD"})
# Of all writes: lost after the effect, lost before it, refused for the moment.
_LOST, _NEVER, _BUSY = 0.05, 0.03, 0.03
# Of all reads, such as look-ups of what was lost.
_UNREAD: Final = 0.1


class Storm(httpx.AsyncBaseTransport):
    """The wire to the simulators on a bad day.

    Attributes:
        calm: Whether the bad day is over.
        done: What went wrong, counted.
    """

    def __init__(self, wire: SimulatedWire, draw: random.Random) -> None:
        self._wire = wire
        self._draw = draw
        self.calm = False
        self.done = Counter[str]()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Serve, or fail in one of the ways."""
        fate = self._draw.random()
        if self.calm:
            return await self._wire.handle_async_request(request)
        if request.method in _READS:
            if fate < _UNREAD:
                self.done["look-up refused"] += 1
                status = self._draw.choice((429, 500, 503))
                return self._wire._simulators[request.url.host].refuse(request, status)
            return await self._wire.handle_async_request(request)
        if fate < _LOST:
            await self._wire.handle_async_request(request)
            self.done["answer lost after the effect"] += 1
            raise httpx.ReadError("the storm took the answer", request=request)
        if fate < _LOST + _NEVER:
            self.done["request lost before the effect"] += 1
            raise httpx.ReadTimeout("the storm took the request", request=request)
        if fate < _LOST + _NEVER + _BUSY:
            self.done["connection refused"] += 1
            raise httpx.ConnectError("the storm", request=request)
        return await self._wire.handle_async_request(request)


class Drill:
    """A tenant with every provider that has a simulator."""

    def __init__(self, folder: Path, url: str, *, seed: int) -> None:
        self.draw = random.Random(seed)
        self.stage = Stage(folder, url, patience={"in_doubt_s": [1.0] * 12})
        self.accounts = {one.adapter.product: one for one in subjects()}
        self.simulated: dict[str, Account] = {}
        hosts: dict[str, Any] = {}
        for name, subject in self.accounts.items():
            account = subject.account("payments")
            settings = _trusting(account)
            self.simulated[name] = account
            account.simulator.configure(
                duplicate_share=0.3, late_share=0.3, late_s=20.0, shuffle=True, seed=seed
            )
            hosts[httpx.URL(settings.base_url).host] = account.simulator
            further.add(self.stage, subject, settings)
        self.stage.wire = SimulatedWire(hosts, clock=self.stage.now)
        self.storm = Storm(self.stage.wire, self.draw)
        self.wanted: dict[str, Wish] = {}
        self.refunds: list[str] = []
        self.deaths = 0
        self.untaken: dict[str, list[httpx.Request]] = {}

    async def submit(self, count: int) -> None:
        """Take so many payments: some held, some that are declined."""
        for number in range(count):
            product = sorted(self.accounts)[number % len(self.accounts)]
            subject = self.accounts[product]
            manual = subject.holds and self.draw.random() < 0.3
            situation = "declined" if self.draw.random() < 0.15 else "accepted"
            wish = Wish(product=product, situation=situation, manual=manual)
            answer = await self.stage.api.post(
                "/v1/payments", json=wish.body(subject), headers={"Idempotency-Key": f"p-{number}"}
            )
            assert 201 == answer.status_code, answer.text
            self.wanted[answer.json()["payment_id"]] = wish

    async def change(self) -> None:
        """Collect what is held, give up a part of it, and give back some of what is collected."""
        for payment_id in self.wanted:
            payment = await self.shown(payment_id)
            path, body = "", {}
            if payment.state is PaymentState.AUTHORISED:
                verb = "capture" if self.draw.random() < 0.7 else "cancel"
                path = f"/v1/payments/{payment_id}/{verb}"
            elif payment.state in collecting.CAPTURED and self.draw.random() < 0.4:
                path, body = "/v1/refunds", {"payment_id": payment_id}
            if path:
                answer = await self.stage.api.post(
                    path, json=body, headers={"Idempotency-Key": f"{path}-{payment_id}"}
                )
                assert answer.status_code in {201, 202, 409, 422}, answer.text
                if "refund_id" in answer.json():
                    self.refunds.append(answer.json()["refund_id"])

    async def shown(self, payment_id: str) -> Payment:
        """The payment as the facade shows it."""
        answer = await self.stage.api.get(f"/v1/payments/{payment_id}")
        return codec.decode(answer.content, Payment)

    async def go(self, *, turns: int, mortal: bool) -> None:
        """Work, deliver and let time pass; a worker dies at a random point of its life."""
        for _ in range(turns):
            doom = Doom(self.draw.randint(20, 250) if mortal else 0)
            worker = Mortal(self.stage, doom, wire=self.storm)
            await worker.begin()
            self.stage.offset_s += 6.0
            if not await worker.do(self._turn):
                self.deaths += 1
                await self.stage.expire_leases()
            await self.stage.pass_time()
            await self.stage.sql.execute(
                "update absurd.r_webhook set available_at = now() where state = 'sleeping'"
                " and available_at < 'infinity'"
            )

    async def _turn(self, life: Life) -> None:
        await life.work()
        await self._deliver()
        await life.apply()

    async def _deliver(self) -> None:
        """Hand over what is due, and again what was not taken, as providers do."""
        for name, account in self.simulated.items():
            due = [*self.untaken.pop(name, []), *account.simulator.due(now=self.stage.now())]
            for request in due:
                answer = await self.stage.api.request(
                    request.method,
                    f"/webhooks/{TENANT}/{name}",
                    params=request.url.query.decode() or None,
                    content=request.read(),
                    headers=dict(request.headers) | {"host": "hub"},
                )
                if not answer.is_success:
                    self.untaken.setdefault(name, []).append(request)

    def charged(self, payment_id: str) -> int:
        """How often the provider has collected it."""
        product = self.wanted[payment_id].product
        return self.simulated[product].effects("create_payment", payment_id)

    async def faults(self) -> list[str]:
        """Everything that must not be."""
        found: list[str] = []
        for payment_id, wish in self.wanted.items():
            given = functools.partial(self.simulated[wish.product].effects, "refund_payment")
            payment = await self.shown(payment_id)
            found += faults_of(payment, wish, self.charged(payment_id), given)
        parked = await self.stage.rows(
            "select kind, business_id, reason, code from headrace.flow where state = 'PARKED'"
        )
        found += [f"parked flow: {row}" for row in parked]
        left = await self.stage.rows(
            "select system, state, reason, count(*) from headrace.inbox"
            " where state in ('NEW', 'PARKED') group by 1, 2, 3"
        )
        found += [f"webhooks not taken: {name}, {len(one)}" for name, one in self.untaken.items()]
        return [*found, *(f"inbox: {row}" for row in left)]


def _trusting(account: Account) -> Any:
    """The settings of an account that trusts its simulator's own certificates."""
    if not hasattr(account.settings, "trusted_roots"):
        return account.settings
    request = httpx.Request("GET", f"http://simulator{ROOT}")
    root = account.simulator.handle(request, now=0.0).text
    origin = "https://api-m.paypal.com"
    account.simulator._webhooks._origin = origin  # type: ignore[attr-defined] # PayPal's simulator
    return msgspec.structs.replace(account.settings, trusted_roots=root, key_origin=origin)
