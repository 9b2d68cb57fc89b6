"""The fault drill with parts: at Stripe transfers follow, everywhere else the ledger divides.

As ``test_fault_drill``: answers are lost, webhooks stray, workers die. In the end every member has
its share of what was collected and has stayed, by Stripe's own count and by the ledger's.
"""

import dataclasses
import os
from collections import Counter
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from gateway.model import codec
from gateway.model.split import PLATFORM, SplitMode
from gateway.model.wallet import Wallet
from gateway.policy import sharing
from gateway.settings import WalletSettings
from tests.flows.drill import Drill
from tests.flows.reckoning import Wish
from tests.flows.stage import TENANT

_SEED: Final = int(os.environ.get("HEADRACE_SEED", "1"))
_SEEDS: Final = range(_SEED, _SEED + int(os.environ.get("HEADRACE_DRILL_SEEDS", "1")))
_PAYMENTS: Final = int(os.environ.get("HEADRACE_DRILL_PAYMENTS", "24"))
_TURNS: Final = 12
_DIVIDED: Final = ("gocardless", "paypal", "payone", "stripe")
_MEMBERS: Final = ("acct_1", "acct_2")


class Market(Drill):
    """A drill of a platform whose payments are all of two members."""

    async def submit(self, count: int) -> None:
        """Take so many payments, in turn at each provider; some are held, some declined."""
        for one in _MEMBERS:
            answer = await self.stage.api.put(
                f"/v1/members/{one}-w",
                json={"system": "wallets", "account": one},
                headers={"Idempotency-Key": one},
            )
            assert answer.status_code == 200, answer.text
        for number in range(count):
            product = _DIVIDED[number % len(_DIVIDED)]
            subject = self.accounts[product]
            manual = subject.holds and self.draw.random() < 0.3
            situation = "declined" if self.draw.random() < 0.1 else "accepted"
            wish = Wish(product=product, situation=situation, manual=manual)
            answer = await self.stage.api.post(
                "/v1/payments",
                json=wish.body(subject) | {"splits": self._parts(product)},
                headers={"Idempotency-Key": f"p-{number}"},
            )
            assert 201 == answer.status_code, answer.text
            self.wanted[answer.json()["payment_id"]] = wish

    def _parts(self, product: str) -> list[dict[str, Any]]:
        suffix = "" if product == "stripe" else "-w"
        minors = (self.draw.randrange(100, 900), self.draw.randrange(100, 900))
        parts: list[dict[str, Any]] = [
            {"party": f"{one}{suffix}", "amount": {"amount": f"{m / 100:.2f}", "currency": "EUR"}}
            for one, m in zip(_MEMBERS, minors, strict=True)
        ]
        return [*parts, {"party": "platform", "kind": "REMAINDER"}]

    async def wrong(self) -> list[str]:
        """Members that have other than their shares, by Stripe and by the ledger."""
        payments = [await self.shown(one) for one in self.wanted]
        owed, held = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
        in_wallets, found = Counter[str](), list[str]()
        for one in payments:
            for part, share in sharing.shares(one):
                if one.split_mode is SplitMode.WALLET:
                    in_wallets[part.party] += share
                elif part.party != PLATFORM:
                    owed[one.payment_id, part.party] += share
        connect: Any = self.simulated["stripe"].simulator
        for each in connect.connect._transfers.values():
            left = each["amount"] - each["amount_reversed"]
            held[each["transfer_group"], each["destination"]] += left
        if +owed != +held:
            found.append(f"transfers: {+owed} are owed, {+held} moved")
        for one in _MEMBERS:
            answer = await self.stage.api.get(f"/v1/members/{one}-w/wallet")
            (has,) = codec.decode(answer.content, Wallet).balances
            there = has.available.minor + has.pending.minor
            if there != in_wallets[f"{one}-w"]:
                found.append(f"{one}-w: {in_wallets[f'{one}-w']} is owed, has {has}")
        unequal = await self.stage.rows(
            "select entry_id from headrace.ledger_posting group by 1, currency"
            " having sum(minor) <> 0"
        )
        return [*found, *(f"entry: {row}" for row in unequal)]


@pytest.mark.timeout(90)
@pytest.mark.parametrize("seed", _SEEDS)
async def test_members_have_their_shares(tmp_path: Path, url: str, seed: int) -> None:
    """None more, none less, none twice."""
    drill = Market(tmp_path, url, seed=seed)
    known = drill.stage.configuration
    acme = msgspec.structs.replace(known.tenants[TENANT], wallets=WalletSettings(enabled=True))
    drill.stage.configuration = dataclasses.replace(known, tenants={TENANT: acme})
    async with drill.stage.facade():
        await drill.submit(_PAYMENTS)
        await drill.go(turns=_TURNS, mortal=True)
        await drill.change()
        await drill.go(turns=_TURNS, mortal=True)
        drill.storm.calm = True
        await drill.go(turns=_TURNS, mortal=False)
        faults = [*await drill.faults(), *await drill.wrong()]
        modes = Counter([(await drill.shown(one)).split_mode.value for one in drill.wanted])

    print(
        f"seed {seed}: {_PAYMENTS} payments, {dict(modes)}, {len(drill.refunds)} refunds,"
        f" {drill.deaths} deaths, {dict(drill.storm.done)}"
    )
    assert [] == faults
    assert {SplitMode.AFTER_PAYMENT, SplitMode.WALLET} == set(modes)
    assert drill.deaths > 0
