"""Transfer funds between a platform and its members, move them back, and read a transfer back."""

from collections.abc import Callable
from typing import Final

from gateway.errors import InDoubt, Rejected
from gateway.model.event import Event
from gateway.model.payment import PaymentFailure
from gateway.model.transfer import (
    MemberTransfer,
    ProviderReversal,
    ProviderTransfer,
    TransferReversal,
)
from gateway.policy import transferring
from gateway.ports.transfers import Transfers
from gateway.runtime import engine
from gateway.runtime.documents import Unit
from gateway.runtime.hub import System, configured
from gateway.runtime.story import Story

KIND: Final = "transfer_funds"
REVERSE: Final = "reverse_transfer"
SYNC: Final = "sync_transfer"
QUEUE: Final = "interactive"
SYNC_QUEUE: Final = "webhook"
# Looks before a person is asked, a day each.
_ROUNDS: Final = 7


async def transfer_funds(story: Story) -> str:
    """Move the money, and see that it arrives.

    Raises:
        InDoubt: It neither arrives nor fails, for too long.
    """
    # A wish is committed: what became of it has to be known, and can be reversed then.
    story.heeds_cancel = False
    transfer = await _read(story)
    try:
        said = await story.call(
            "transfers.create_transfer",
            _mover(story, transfer),
            lambda port, key: port.create_transfer(transfer, key=key),
            find=lambda port: port.find_transfer(transfer),
            returns=ProviderTransfer,
        )
    except Rejected as error:
        failure = PaymentFailure(code=error.code)
        await _record(story, "refused", lambda one: transferring.refused(one, failure))
        return "COMPLETED"
    transfer = await _record(story, "answered", lambda one: transferring.apply(one, said))
    for number in range(1, _ROUNDS + 1):
        if transfer.state in transferring.ENDED:
            return "COMPLETED"
        wait_s = story.tenant.patience.payment_pending_s
        name, event = f"transfer.ended.{number}", ended(transfer.transfer_id)
        if await story.wait(name, event, wait_s) is None:
            transfer = await _looked_up(story, transfer, f".{number}")
        else:
            transfer = await _read(story, f".{number}")
    raise InDoubt("The transfer neither arrives nor fails.", code="transfer_pending")


async def reverse_transfer(story: Story) -> str:
    """Move a part of a transfer back, or all of it.

    Raises:
        InDoubt: It neither arrives nor fails, for too long.
    """
    story.heeds_cancel = False
    transfer = await _read(story)
    reversal = transferring.find(transfer, story.business_id)
    try:
        said = await story.call(
            "transfers.reverse_transfer",
            _mover(story, transfer),
            lambda port, key: port.reverse_transfer(
                transfer, reversal.reversal_id, reversal.amount, key=key
            ),
            find=lambda port: port.find_reversal(transfer, reversal.reversal_id),
            returns=ProviderReversal,
        )
    except Rejected as error:
        failure = PaymentFailure(code=error.code)
        await _record(
            story, "not_reversed", lambda one: transferring.not_reversed(one, reversal, failure)
        )
        return "COMPLETED"
    transfer = await _record(
        story, "reversed", lambda one: transferring.reversed_by(one, reversal, said)
    )
    for number in range(1, _ROUNDS + 1):
        known = transferring.find(transfer, reversal.reversal_id)
        if known.state in transferring.ENDED:
            return "COMPLETED"
        wait_s = story.tenant.patience.payment_pending_s
        name, event = f"reversal.ended.{number}", ended(known.reversal_id)
        if await story.wait(name, event, wait_s) is None:
            transfer = await _reversal_looked_up(story, transfer, known, f".{number}")
        else:
            transfer = await _read(story, f".{number}")
    raise InDoubt("The reversal neither arrives nor fails.", code="reversal_pending")


async def sync_transfer(story: Story) -> str:
    """Bring a transfer, and what is on its way back of it, to what its provider says now."""
    story.heeds_cancel = False
    transfer = await _looked_up(story, await _read(story), "")
    for one in transfer.reversals:
        if one.state not in transferring.ENDED:
            name = f".{one.reversal_id.rpartition('-')[2]}"
            transfer = await _reversal_looked_up(story, transfer, one, name)
    return "COMPLETED"


async def _reversal_looked_up(
    story: Story, transfer: MemberTransfer, reversal: TransferReversal, name: str
) -> MemberTransfer:
    found = await story.call(
        f"transfers.find_reversal{name}",
        _mover(story, transfer),
        lambda port, _key: port.find_reversal(transfer, reversal.reversal_id),
        returns=ProviderReversal | None,
    )
    if found is None:
        return transfer
    return await _record(
        story,
        f"reversal_found{name}",
        lambda one: transferring.reversed_by(one, reversal, found),
    )


async def _looked_up(story: Story, transfer: MemberTransfer, name: str) -> MemberTransfer:
    found = await story.call(
        f"transfers.find_transfer{name}",
        _mover(story, transfer),
        lambda port, _key: port.find_transfer(transfer),
        returns=ProviderTransfer | None,
    )
    if found is None:
        return transfer
    return await _record(story, f"found{name}", lambda one: transferring.apply(one, found))


async def _record(
    story: Story,
    word: str,
    change: Callable[[MemberTransfer], tuple[MemberTransfer, tuple[Event, ...]]],
) -> MemberTransfer:
    async def store(unit: Unit) -> MemberTransfer:
        changed, events = change(await _load(unit, _id_of(story)))
        await unit.save("transfer", changed.transfer_id, changed.state.value, changed, events)
        await unit.refer(transferring.references(changed))
        for entity_id, state in transferring.standing(changed):
            if state in transferring.ENDED:
                await engine.emit(
                    unit.connection,
                    queue=QUEUE,
                    event=ended(entity_id),
                    payload={"state": state.value},
                )
        return changed

    return await story.record(f"transfer.{word}", store, returns=MemberTransfer)


async def _read(story: Story, name: str = "") -> MemberTransfer:
    return await story.record(
        f"transfer.read{name}", lambda unit: _load(unit, _id_of(story)), returns=MemberTransfer
    )


async def _load(unit: Unit, transfer_id: str) -> MemberTransfer:
    transfer = await unit.load("transfer", transfer_id, MemberTransfer)
    if transfer is None:
        raise LookupError("the transfer is gone")
    return transfer


def _id_of(story: Story) -> str:
    return transferring.transfer_of(story.business_id.partition(":")[0])


def ended(transfer_id: str) -> str:
    """The event that a transfer, or a reversal, has ended."""
    return f"transfer:{transfer_id}:ended"


def _mover(story: Story, transfer: MemberTransfer) -> System[Transfers]:
    return configured(story.tenant.movers, transfer.provider)
