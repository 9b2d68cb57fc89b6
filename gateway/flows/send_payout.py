"""Send a payout, take it back, and read it back when its provider says that it has changed.

Whoever has to agree has agreed before the flow starts. A webhook is a reason to look and nothing
more (ADR 0024); where none comes, the flow looks by itself. The journal keeps how a payout stands
and never where it goes: that is read from the payout itself, and never changes.
"""

from typing import Final

import msgspec

from gateway.errors import InDoubt, Rejected
from gateway.model.payment import PaymentFailure
from gateway.model.payout import Payout, PayoutState, ProviderPayout
from gateway.policy import paying
from gateway.ports.exchange import Exchange
from gateway.ports.payouts import Payouts
from gateway.runtime import engine
from gateway.runtime.database import Connection
from gateway.runtime.documents import Unit
from gateway.runtime.hub import System, configured
from gateway.runtime.story import CancelRequested, Story

KIND: Final = "send_payout"
CANCEL: Final = "cancel_payout"
SYNC: Final = "sync_payout"
QUEUE: Final = "interactive"
SYNC_QUEUE: Final = "webhook"
# Looks before a person is asked, a day each; a wallet may keep money for 30 days until somebody
# claims it.
_ROUNDS: Final = 32


async def send_payout(story: Story) -> str:
    """Send the money, and see that it arrives.

    Raises:
        InDoubt: It neither arrives nor comes back, for too long.
    """
    payout = await _read(story)
    try:
        said = await story.call(
            "payouts.create_payout",
            _sender(story, payout),
            lambda port, key: port.create_payout(payout, key=key),
            find=lambda port: port.find_payout(payout),
            returns=ProviderPayout,
        )
    except Rejected as error:
        failure = PaymentFailure(code=error.code)
        await story.record("payout.refused", lambda unit: _refuse(unit, failure), returns=None)
        return "COMPLETED"
    except CancelRequested:
        # Only where it is sure that nothing was sent.
        story.heeds_cancel = False
        await story.record("payout.given_up", _give_up, returns=None)
        return "CANCELLED"
    story.heeds_cancel = False
    state = await _told(story, "payout.told", said)
    payout = msgspec.structs.replace(payout, provider_ref=said.provider_ref)
    for number in range(1, _ROUNDS + 1):
        if state in paying.ENDED:
            return "COMPLETED"
        wait_s = story.tenant.patience.payment_pending_s
        name = f"payout.ended.{number}"
        if await story.wait(name, _ended(payout.payout_id), wait_s) is None:
            await _look_up(story, payout, f".{number}")
        state = await _state(story, f"payout.state.{number}")
    raise InDoubt("The payout neither arrives nor comes back.", code="payout_pending")


async def cancel_payout(story: Story) -> str:
    """Take a payout back that nobody has yet; where that is refused it goes on."""
    story.heeds_cancel = False
    payout = await _read(story)
    said = await story.ask(
        "payouts.cancel_payout",
        _sender(story, payout),
        lambda port, key: port.cancel_payout(payout, key=key),
        find=lambda port: _ended_at(port, payout),
        returns=ProviderPayout,
    )
    if said is None:
        await _look_up(story, payout, ".refused")
    else:
        await _told(story, "payout.cancelling", said)
    return "COMPLETED"


async def sync_payout(story: Story) -> str:
    """Bring a payout to what its provider says of it now."""
    story.heeds_cancel = False
    await _look_up(story, await _read(story), "")
    return "COMPLETED"


def _ended_at(port: Payouts, payout: Payout) -> Exchange[ProviderPayout | None]:
    """The provider's payout if it has ended; None where it goes on."""
    found = yield from port.find_payout(payout)
    return found if found is not None and found.state in paying.ENDED else None


async def _look_up(story: Story, payout: Payout, name: str) -> None:
    found = await story.call(
        f"payouts.find_payout{name}",
        _sender(story, payout),
        lambda port, _key: port.find_payout(payout),
        returns=ProviderPayout | None,
    )
    if found is not None:
        await _told(story, f"payout.looked_up{name}", found)


async def _told(story: Story, step: str, said: ProviderPayout) -> PayoutState:
    async def change(unit: Unit) -> PayoutState:
        changed, events = paying.apply(await _load(unit, _id_of(story)), said)
        await unit.save("payout", changed.payout_id, changed.state.value, changed, events)
        await unit.refer(paying.references(changed))
        await wake(unit.connection, changed)
        return changed.state

    return await story.record(step, change, returns=PayoutState)


async def wake(connection: Connection, payout: Payout) -> None:
    """Tell the flow that waits for the end; telling it again changes nothing."""
    if payout.state in paying.ENDED:
        await engine.emit(
            connection,
            queue=QUEUE,
            event=_ended(payout.payout_id),
            payload={"state": payout.state.value},
        )


async def _refuse(unit: Unit, failure: PaymentFailure) -> None:
    changed, events = paying.refused(await _load(unit, unit.business_id), failure)
    await unit.save("payout", changed.payout_id, changed.state.value, changed, events)


async def _give_up(unit: Unit) -> None:
    payout = await _load(unit, unit.business_id)
    if payout.state in paying.ENDED:
        return
    changed, events = paying.cancelled(payout)
    await unit.save("payout", changed.payout_id, changed.state.value, changed, events)


async def _read(story: Story) -> Payout:
    """The payout as it is now; what is sent by it never changes, so that it need not be kept."""
    return await story.look("payout.read", lambda unit: _load(unit, _id_of(story)))


async def _state(story: Story, step: str) -> PayoutState:
    async def read(unit: Unit) -> PayoutState:
        return (await _load(unit, _id_of(story))).state

    return await story.record(step, read, returns=PayoutState)


async def _load(unit: Unit, payout_id: str) -> Payout:
    payout = await unit.load("payout", payout_id, Payout)
    if payout is None:
        raise LookupError("the payout is gone")
    return payout


def _id_of(story: Story) -> str:
    return story.business_id.partition(":")[0]


def _ended(payout_id: str) -> str:
    return f"payout:{payout_id}:ended"


def _sender(story: Story, payout: Payout) -> System[Payouts]:
    return configured(story.tenant.payers, payout.provider)
