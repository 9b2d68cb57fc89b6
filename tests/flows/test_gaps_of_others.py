"""Lost webhooks about payouts, transfers and mandates: found in the list, and read back."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.model.mandate import MandateState
from gateway.model.payout import Payout, PayoutState
from gateway.runtime.gaps import Compared
from tests.flows.holding import Desk
from tests.flows.paying import Till
from tests.flows.stage import TENANT
from tests.flows.test_gaps import gaps

_S = PayoutState


@pytest.fixture
async def till(tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Till]:
    """Stripe, PayPal and Adyen's platform."""
    async with Till.opened(tmp_path, url, monkeypatch) as till:
        yield till


async def _compare(till: Till | Desk, system: str) -> Compared:
    """Compare everything with the provider's list, and act on what it says."""
    found, now, life = Compared(), till.now(), till.life
    reporter = life.parts.hub.tenant(TENANT).reporters[system]
    async for page in gaps(life).compare(reporter, now - 3_600, now + 60):
        found += page
    while await life.work() + await life.apply():
        pass
    return found


def _lose(till: Till) -> None:
    """What was sent to the endpoint and what nobody took."""
    till.stripe.due(now=till.now())
    till.adyen.due(now=till.now())


async def _paid(till: Till, provider: str) -> Payout:
    """A payout that has arrived, and its webhooks were heard."""
    where = {"account": "acct_1"}
    if provider == "adyen_platform":
        where = {"account": "SE00000000000000000000001"}
    payout = await till.submit(amount="50.00", provider=provider, destination=where)
    await till.finish(payout)
    return payout


@pytest.mark.parametrize("provider", ["stripe", "adyen_platform"])
async def test_payout_that_came_back_unheard_is_found(till: Till, provider: str) -> None:
    """Days after it was paid, when nobody looks any more; once, however often lists are read."""
    payout = await _paid(till, provider)
    reference = (await till.payout(payout)).provider_ref
    if provider == "stripe":
        till.stripe.connect.fail_payout(reference, "account_closed", now=till.now())
    else:
        till.adyen._return(till.adyen._transfers[reference], till.now())
    _lose(till)
    before = (await till.payout(payout)).state

    found = [await _compare(till, provider) for _ in range(2)]

    ended = {"stripe": _S.FAILED, "adyen_platform": _S.RETURNED}[provider]
    assert (_S.PAID, ended) == (before, (await till.payout(payout)).state)
    assert [1, 0] == [one.filled for one in found]


async def test_what_stands_as_it_is_known_was_not_missed(till: Till) -> None:
    """Nothing is read back, and nothing counts as a lost webhook."""
    await _paid(till, "adyen_platform")

    found = await _compare(till, "adyen_platform")

    assert (1, 0) == (found.known, found.filled)


@pytest.mark.parametrize("provider", ["stripe", "adyen_platform"])
async def test_money_that_others_sent_is_theirs(till: Till, provider: str) -> None:
    """Of another hub on the same account: neither kept nor left for a person."""
    await _paid(till, provider)
    _lose(till)
    await till.rows("delete from headrace.document returning id")
    await till.rows("delete from headrace.inbox returning seq")

    assert 0 == (await _compare(till, provider)).filled


async def test_mandate_that_was_agreed_to_unheard_is_found(tmp_path: Path, url: str) -> None:
    """Before anybody's patience is over; once."""
    async with Desk.opened(tmp_path, url) as desk:
        desk.gocardless.configure(lost_share=1.0)
        made = await desk.active()
        desk.stage.offset_s += 10

        found = [await _compare(desk, "gocardless") for _ in range(2)]

        assert MandateState.PENDING is made.state
        assert MandateState.ACTIVE is (await desk.mandate(made.mandate_id)).state
    assert (True, 0) == (found[0].filled > 0, found[1].filled)
