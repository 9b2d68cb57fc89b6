"""Resolve a dispute: send what a person answered, and read what the provider makes of it.

The answer is committed with the payment before its flow starts. How a dispute ends the provider
says in its webhooks.
"""

import time
from typing import Final

from gateway.errors import Rejected
from gateway.flows.attempt_payment import load_payment, wake
from gateway.model.dispute import (
    AnswerKind,
    Dispute,
    DisputeAnswer,
    DisputeState,
    ProviderDispute,
)
from gateway.model.payment import Payment
from gateway.policy import collecting, disputing
from gateway.ports.disputes import Disputes
from gateway.ports.exchange import Exchange
from gateway.runtime.documents import Unit
from gateway.runtime.hub import System, configured
from gateway.runtime.story import Story

KIND: Final = "resolve_dispute"
QUEUE: Final = "interactive"


async def resolve_dispute(story: Story) -> str:
    """Send one answer; a refusal is kept with it, and then the dispute is read."""
    # The answer is committed: what became of it has to be known.
    story.heeds_cancel = False
    answer_id = story.business_id
    payment_id = disputing.payment_of(answer_id)
    payment = await story.record(
        "payment.read", lambda unit: load_payment(unit, payment_id), returns=Payment
    )
    dispute = disputing.find(payment, disputing.dispute_of(answer_id))
    answer = disputing.find_answer(dispute, answer_id)
    try:
        said = await _send(story, payment, dispute, answer)
    except Rejected as error:
        code = error.code
        await story.record(
            "dispute.refused", lambda unit: _refuse(unit, answer_id, code), returns=None
        )
        await read_disputes(story, payment)
        return "COMPLETED"
    await story.record(
        "dispute.answered", lambda unit: _record(unit, payment_id, said, answer_id), returns=None
    )
    return "COMPLETED"


async def read_disputes(story: Story, payment: Payment) -> None:
    """Bring the disputes of a payment to what its provider says of them; a chapter of others."""
    if payment.provider not in story.tenant.disputes:
        return
    for dispute in payment.disputes:
        if dispute.progress not in disputing.OUTCOMES:
            await _read_dispute(story, payment, dispute)


async def _read_dispute(story: Story, payment: Payment, dispute: Dispute) -> None:
    _, _, name = dispute.dispute_id.rpartition("-")
    found = await story.call(
        f"disputes.find_dispute.{name}",
        _system(story, payment),
        lambda port, _key: port.find_dispute(payment, dispute.provider_ref),
        returns=ProviderDispute | None,
    )
    if found is None:
        return
    await story.record(
        f"dispute.found.{name}",
        lambda unit: _record(unit, payment.payment_id, found),
        returns=None,
    )


async def _send(
    story: Story, payment: Payment, dispute: Dispute, answer: DisputeAnswer
) -> ProviderDispute:
    system, ref = _system(story, payment), dispute.provider_ref
    is_acceptance = answer.kind is AnswerKind.ACCEPTANCE
    step = "disputes.accept_dispute" if is_acceptance else "disputes.submit_evidence"
    before = DisputeState.UNDER_REVIEW if is_acceptance else DisputeState.OPEN
    heard: ProviderDispute | None = None
    if step not in story.steps:
        heard = await story.look(step, lambda unit: _heard(unit, payment, dispute))

    def send(port: Disputes, key: str) -> Exchange[ProviderDispute]:
        if is_acceptance:
            return port.accept_dispute(payment, ref, key=key)
        return port.submit_evidence(payment, ref, answer, key=key)

    return await story.call(
        step,
        system,
        send,
        find=lambda port: _beyond(port.find_dispute(payment, ref), heard, before),
        returns=ProviderDispute,
    )


def _beyond(
    looking: Exchange[ProviderDispute | None], heard: ProviderDispute | None, state: DisputeState
) -> Exchange[ProviderDispute | None]:
    """The provider's dispute if our answer can have moved it; None where it is still missing.

    Args:
        heard: As its webhooks have it, for providers that cannot be asked.
    """
    found = (yield from looking) or heard
    return found if found is not None and disputing.is_beyond(found.state, state) else None


def _system(story: Story, payment: Payment) -> System[Disputes]:
    return configured(story.tenant.disputes, payment.provider)


async def _heard(unit: Unit, payment: Payment, dispute: Dispute) -> ProviderDispute:
    """How far the claim is by all that was said of it."""
    now = disputing.find(await load_payment(unit, payment.payment_id), dispute.dispute_id)
    return ProviderDispute(provider_ref=now.provider_ref, state=now.progress, amount=now.amount)


async def _record(unit: Unit, payment_id: str, said: ProviderDispute, answer_id: str = "") -> None:
    """What the provider said of the dispute, and that it has our answer."""
    known = await load_payment(unit, payment_id)
    told, movements = disputing.said(known, said)
    changed, events = collecting.apply(told, movements=movements, at=time.time())
    if answer_id:
        changed, news = disputing.sent(changed, answer_id)
        events = (*events, *news)
    await unit.save("payment", payment_id, changed.state.value, changed, events)
    await wake(unit.connection, changed)


async def _refuse(unit: Unit, answer_id: str, code: str) -> None:
    payment_id = disputing.payment_of(answer_id)
    changed, events = disputing.refused(await load_payment(unit, payment_id), answer_id, code)
    await unit.save("payment", payment_id, changed.state.value, changed, events)
