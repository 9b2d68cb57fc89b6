"""Distribute a payment: members get their parts by transfers, and give back what goes back.

The platform has collected everything. What each part has to have follows from what was collected
and has stayed; the difference to what was moved is moved, by transfers and reversals with flows of
their own.
"""

from datetime import UTC, datetime
from typing import Final

import msgspec

from gateway.errors import InDoubt
from gateway.flows import transfer_funds
from gateway.flows.attempt_payment import load_payment
from gateway.model.transfer import MemberTransfer
from gateway.policy import sharing, transferring
from gateway.runtime import engine, following
from gateway.runtime.documents import Unit
from gateway.runtime.story import Story

KIND: Final = following.DISTRIBUTE
QUEUE: Final = following.QUEUE
# Looks before a person is asked, a day each where nothing is heard.
_ROUNDS: Final = 20


async def distribute_payment(story: Story) -> str:
    """Bring every part of a payment to what it has to have.

    Raises:
        InDoubt: The provider refuses a transfer or a reversal, or neither ends, for too long.
    """
    story.heeds_cancel = False
    awaited: tuple[str, ...] = ()
    for number in range(1, _ROUNDS + 1):
        awaited = await _plan(story, number, awaited)
        if not awaited:
            return "COMPLETED"
        for key in awaited:
            wait_s = story.tenant.patience.payment_pending_s
            await story.wait(f"part.{number}.{key}", transfer_funds.ended(key), wait_s)
    raise InDoubt("The parts neither arrive nor fail.", code="parts_pending")


async def _plan(story: Story, number: int, before: tuple[str, ...]) -> tuple[str, ...]:
    """Commit what is to be moved, before anything is sent.

    Raises:
        InDoubt: Something is missing and was refused before; kept nowhere, so that whoever resumes
            the flow after it was mended finds it mended.
    """
    payment_id = story.business_id.partition(":")[0]

    async def plan(unit: Unit) -> tuple[str, ...]:
        payment = await load_payment(unit, payment_id)
        known = [await _load(unit, key) for key in payment.transfers]
        moves = sharing.moves(payment, known, at=datetime.now(UTC).isoformat())
        if (moves.made or moves.reversed) and sharing.failed(known, before):
            message = "The provider has refused to move a member's part."
            raise InDoubt(message, code="part_refused")
        for one in moves.made:
            told = [transferring.event(one, "created")]
            await unit.insert("transfer", one.transfer_id, one.state.value, one, told)
            await _start(story, unit, transfer_funds.KIND, one.transfer_id)
        for one, reversal in moves.reversed:
            await unit.save("transfer", one.transfer_id, one.state.value, one)
            await _start(story, unit, transfer_funds.REVERSE, reversal.reversal_id)
        if moves.made:
            ids = (*payment.transfers, *(one.transfer_id for one in moves.made))
            changed = msgspec.structs.replace(payment, transfers=ids)
            await unit.save("payment", payment_id, changed.state.value, changed)
        return moves.awaited

    return await story.record(f"parts.planned.{number}", plan, returns=tuple[str, ...])


async def _load(unit: Unit, transfer_id: str) -> MemberTransfer:
    transfer = await unit.load("transfer", transfer_id, MemberTransfer)
    if transfer is None:
        raise LookupError("the transfer is gone")
    return transfer


async def _start(story: Story, unit: Unit, kind: str, business_id: str) -> None:
    await engine.start(
        unit.connection,
        kind=kind,
        queue=transfer_funds.QUEUE,
        tenant=unit.tenant,
        business_id=business_id,
        subject=unit.business_id,
        mapping_set=story.tenant.mapping_set,
        traceparent=unit.traceparent,
    )
