"""Create a mandate at a provider, take it back, and read it back when something has changed.

A webhook is a reason to look and nothing more (ADR 0024); where none comes, the flow looks by
itself. Of the payer's account nothing is written into the journal: it is read where it is sent.
"""

from collections.abc import Callable
from typing import Final

from gateway.errors import Rejected
from gateway.model.event import Event
from gateway.model.held_mandate import HeldMandate, ProviderMandate
from gateway.model.mandate import MandateState
from gateway.model.payment import PaymentFailure
from gateway.policy import holding
from gateway.ports.exchange import Exchange
from gateway.ports.mandates import Mandates
from gateway.runtime import engine
from gateway.runtime.documents import Unit
from gateway.runtime.hub import System, configured
from gateway.runtime.story import CancelRequested, Story

KIND: Final = "create_mandate"
REVOKE: Final = "revoke_mandate"
SYNC: Final = "sync_mandate"
QUEUE: Final = "interactive"
SYNC_QUEUE: Final = "webhook"
DOCUMENT: Final = "held_mandate"
# Looks while the payer has not agreed, a day each; afterwards only webhooks and people ask.
_ROUNDS: Final = 30


async def create_mandate(story: Story) -> str:
    """Ask for the payer's agreement, and see what comes of it."""
    mandate = await _read(story)
    try:
        said = await story.call(
            "mandates.create_mandate",
            _holder(story, mandate),
            lambda port, key: port.create_mandate(mandate, key=key),
            find=lambda port: port.find_mandate(mandate),
            returns=ProviderMandate,
        )
    except Rejected as error:
        failure = PaymentFailure(code=error.code)
        await _record(story, "mandate.refused", lambda one: holding.refused(one, failure))
        return "COMPLETED"
    except CancelRequested:
        # Only where it is sure that nobody was asked.
        story.heeds_cancel = False
        await _record(story, "mandate.given_up", holding.given_up)
        return "CANCELLED"
    story.heeds_cancel = False
    state = await _record(story, "mandate.told", lambda one: holding.apply(one, said))
    for number in range(1, _ROUNDS + 1):
        if state is not MandateState.PENDING:
            break
        wait_s = story.tenant.patience.payment_pending_s
        name = f"mandate.decided.{number}"
        if await story.wait(name, _decided(mandate.mandate_id), wait_s) is None:
            await _look_up(story, f".{number}")
        state = await _record(story, f"mandate.state.{number}", lambda one: (one, ()))
    return "COMPLETED"


async def revoke_mandate(story: Story) -> str:
    """End a mandate, or the request for it; where that is refused it is looked at again."""
    story.heeds_cancel = False
    mandate = await _read(story)
    said = await story.ask(
        "mandates.revoke_mandate",
        _holder(story, mandate),
        lambda port, key: port.revoke_mandate(mandate, key=key),
        find=lambda port: _ended_at(port, mandate),
        returns=ProviderMandate,
    )
    if said is None:
        await _look_up(story, ".refused")
    else:
        await _record(story, "mandate.revoking", lambda one: holding.apply(one, said))
    return "COMPLETED"


async def sync_mandate(story: Story) -> str:
    """Bring a mandate to what its provider says of it now."""
    story.heeds_cancel = False
    await _look_up(story, "")
    return "COMPLETED"


def _ended_at(port: Mandates, mandate: HeldMandate) -> Exchange[ProviderMandate | None]:
    """The provider's mandate if it has ended; None where it goes on."""
    found = yield from port.find_mandate(mandate)
    return found if found is not None and found.state in holding.ENDED else None


async def _look_up(story: Story, name: str) -> None:
    # One at a time: a suspended mandate can be active again, so an old word may not come last.
    step, mandate = f"mandate.looked_up{name}", await _read(story)
    async with story.turn(step, f"mandate:{mandate.mandate_id}"):
        found = await story.call(
            f"mandates.find_mandate{name}",
            _holder(story, mandate),
            lambda port, _key: port.find_mandate(mandate),
            returns=ProviderMandate | None,
        )
        if found is not None:
            await _record(story, step, lambda one: holding.apply(one, found))


async def _record(
    story: Story,
    step: str,
    change: Callable[[HeldMandate], tuple[HeldMandate, tuple[Event, ...]]],
) -> MandateState:
    async def store(unit: Unit) -> MandateState:
        before = await _load(unit)
        changed, events = change(before)
        if changed != before:
            await unit.save(DOCUMENT, changed.mandate_id, changed.state.value, changed, events)
            await unit.refer(holding.references(changed))
        if changed.state is not MandateState.PENDING:
            await engine.emit(
                unit.connection,
                queue=QUEUE,
                event=_decided(changed.mandate_id),
                payload={"state": changed.state.value},
            )
        return changed.state

    return await story.record(step, store, returns=MandateState)


async def _read(story: Story) -> HeldMandate:
    """The mandate as it is now; its account is sent and never written into the journal."""
    return await story.look("mandate.read", _load)


async def _load(unit: Unit) -> HeldMandate:
    mandate_id = unit.business_id.partition(":")[0]
    mandate = await unit.load(DOCUMENT, mandate_id, HeldMandate)
    if mandate is None:
        raise LookupError("the mandate is gone")
    return mandate


def _decided(mandate_id: str) -> str:
    return f"mandate:{mandate_id}:decided"


def _holder(story: Story, mandate: HeldMandate) -> System[Mandates]:
    return configured(story.tenant.holders, mandate.system)
