"""The whole way with a bank that nobody here wrote: facade, worker, our file, its answers.

mock-bank's day is ours, for PostgreSQL says when a file is made; its time moves when it is told to.
"""

import datetime as dt
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from gateway.kit.sepa import calendar
from gateway.model.payment import PaymentState
from tests.flows.bank import ACCOUNT, TODAY, Desk, with_bank
from tests.flows.postgres import server, url
from tests.flows.stage import Stage

mockbank = pytest.importorskip("mockbank.server", reason="mock-bank is not installed")
from tests.e2e.test_peer_mock_bank import ACME, GLOBEX, Bank  # noqa: E402 - it skips without it

__all__ = ["server", "url"]
pytestmark = pytest.mark.peers
# As our account is at mock-bank.
OURS = {**ACCOUNT, "name": "Acme Procurement", "iban": ACME, "bic": "MOCKNL2A"}


@pytest.fixture
def bank() -> Iterator[Bank]:
    """A bank on today's morning."""
    config = mockbank.Config(port=0, quiet=True, clock=f"{TODAY.isoformat()}T06:00")
    made = mockbank.make_server(config)
    thread = threading.Thread(target=made.serve_forever, daemon=True)
    thread.start()
    with requests.Session() as session:
        session.trust_env = False
        yield Bank(f"http://127.0.0.1:{made.server_address[1]}", session)
    made.shutdown()
    thread.join(timeout=10)
    made.server_close()


@pytest.fixture
async def desk(tmp_path: Path, url: str) -> AsyncIterator[Desk]:
    """A tenant with an account at this bank."""
    stage = with_bank(tmp_path, Stage(tmp_path, url), account=OURS)
    async with stage.facade(), stage.life() as life:
        yield Desk(stage, life, tmp_path)


async def hand_in(desk: Desk, bank: Bank, kind: str = "collections") -> dict[str, Any]:
    """Write the file of today and bring it to the bank."""
    made = await desk.export(kind)
    assert made.manifest is not None
    return bank.send(desk.folder / made.manifest.file)


async def fetch(desk: Desk, bank: Bank) -> int:
    """Read everything that waits in the bank's mailbox; how many lines were new."""
    new = 0
    for kind in ("pain.002", "camt.054", "camt.053"):
        for number, body in enumerate(bank.collected(kind)):
            new += (await desk.read(body, f"{kind}.{number}.xml")).new
    return new


def after(days: int) -> dt.date:
    """So many TARGET days after today."""
    return calendar.add(TODAY, days)


async def test_collected_and_sent_back(desk: Desk, bank: Bank) -> None:
    """Two are booked; one comes back for AM04 and is RETURNED, told once; the other stays."""
    mandate_id = await desk.sign()
    kept, back = [await desk.pay(mandate_id, amount) for amount in ("10.00", "25.50")]
    answer = await hand_in(desk, bank)
    assert "ACCP" == answer["status"], answer
    await fetch(desk, bank)
    states = {(await desk.payment(one)).state for one in (kept, back)}

    bank.advance(after(4))
    await fetch(desk, bank)
    booked = {(await desk.payment(one)).state for one in (kept, back)}
    bank.refuse((await desk.payment(back)).provider_ref, "AM04")
    bank.advance(after(6))
    await fetch(desk, bank)
    returned = await desk.payment(back)

    assert ({PaymentState.PENDING}, {PaymentState.SETTLED}) == (states, booked)
    assert PaymentState.SETTLED is (await desk.payment(kept)).state
    assert (PaymentState.RETURNED, returned.amount) == (returned.state, returned.returned)
    assert "AM04" in {one.reason_code for one in returned.movements}
    assert 1 == (await desk.events("payment")).count("returned")


async def test_refused_at_once(desk: Desk, bank: Bank) -> None:
    """The debtor's account is empty: pain.002 says AM04, and the payment has FAILED."""
    payment_id = await desk.pay(await desk.sign(iban=GLOBEX), "19.90")
    await hand_in(desk, bank)
    await fetch(desk, bank)
    payment = await desk.payment(payment_id)

    assert payment.failure is not None
    assert (PaymentState.FAILED, "AM04", True) == (
        payment.state,
        payment.failure.provider_code,
        payment.failure.retryable,
    )


async def test_given_back_by_a_transfer(desk: Desk, bank: Bank) -> None:
    """Our pain.001 is taken, and its booking settles the refund."""
    payment_id = await desk.pay(await desk.sign(), "25.50")
    await hand_in(desk, bank)
    bank.advance(after(4))
    await fetch(desk, bank)
    await desk.post("/v1/refunds", {"payment_id": payment_id})
    await desk.work()

    answer = await hand_in(desk, bank, "transfers")
    bank.advance(after(7))
    await fetch(desk, bank)
    payment = await desk.payment(payment_id)

    assert "RJCT" != answer["status"], answer
    assert payment.amount == payment.refunded


async def test_payout_is_paid(desk: Desk, bank: Bank) -> None:
    """Somebody is paid by our pain.001: the bank takes it, books it, and tells it once."""
    answer = await desk.post(
        "/v1/payouts",
        {
            "provider": "bank",
            "amount": {"amount": "25.50", "currency": "EUR"},
            "destination": {"iban": GLOBEX, "name": "Globex"},
            "text": "Sales of October",
        },
    )
    assert answer.status_code == 201, answer.text
    await desk.work()
    taken = await hand_in(desk, bank, "transfers")
    await fetch(desk, bank)
    bank.advance(after(2))
    await fetch(desk, bank)

    assert taken["status"].startswith("AC"), taken
    ((state,),) = await desk.stage.rows("select state from headrace.document where kind = 'payout'")
    assert "PAID" == state
    assert ["created", "submitted", "paid"] == await desk.events("payout")
