"""Attempt a payment: ask a provider, wait for its word, ask the next one; a chapter of others.

The provider's webhook has the last word, and a look-up if none comes. Whatever is decided here is
decided from what the journal kept, so that a flow that is run again decides the same.
"""

import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, Final, TypeVar

import msgspec

from gateway.errors import InDoubt, Rejected
from gateway.flows.notify_debit import notify_debit
from gateway.model.bank_account import BankAccount
from gateway.model.event import Event
from gateway.model.member import Member
from gateway.model.payment import (
    CaptureMethod,
    Payment,
    PaymentFailure,
    PaymentState,
    ProviderPayment,
)
from gateway.policy import attempting, collecting, debiting, dividing, membership, routing
from gateway.ports.exchange import Exchange
from gateway.ports.payments import Payments
from gateway.runtime import engine
from gateway.runtime.database import Connection
from gateway.runtime.documents import Unit, read_several
from gateway.runtime.hub import System, configured
from gateway.runtime.story import Story

T = TypeVar("T")

# Where the flows run that wait for a payment.
_WAITING_QUEUE: Final = "interactive"
# Waits for a provider that says "pending", before a person is asked; a day each.
_ROUNDS: Final = 20
# The same where a person says when the money is there: a year.
_ROUNDS_BY_HAND: Final = 366


async def routed(story: Story, unit: Unit, payment: Payment) -> Payment:
    """The payment with an attempt at the system that takes it.

    Raises:
        Rejected: No provider can take it (code ``no_provider``), or a member has no account there.
    """
    route = story.hub.route(story.tenant, routing.of_payment(payment))
    if not route.system:
        told = ", ".join(f"{one.system}: {one.code}" for one in route.reasons)
        raise Rejected("No provider can take this payment.", code="no_provider", detail=told)
    parties = membership.parties(payment.splits)
    members = await read_several(unit.connection, unit.tenant, "member", parties, Member)
    rows = story.tenant.collectors[route.system].adapter.capabilities
    wallets = story.tenant.settings.wallets.enabled
    payment = dividing.divided(payment, rows, wallets=wallets)
    membership.check_wallets(payment.wallet_splits, members)
    splits = membership.resolve_splits(payment.splits, members, route.system)
    payment = msgspec.structs.replace(payment, splits=splits)
    return attempting.attempt(
        payment, route, needs_payer=story.tenant.needs_payer(payment.method_code)
    )


async def attempt_payment(story: Story, payment: Payment) -> Payment:
    """Ask for the money; where a provider surely moved none and never will, ask the next.

    Raises:
        Rejected: The provider cannot do what it was asked.
    """
    while True:
        number = len(payment.attempts)
        if story.decided:
            await _be_last(story, payment)
        said = await _ask(story, payment, attempting.step_of(number))
        payment = await story.record(
            f"payment.answered{_nth(number)}",
            _answering(story, payment.payment_id, number, said),
            returns=Payment,
        )
        if len(payment.attempts) == number:
            return payment


async def _be_last(story: Story, payment: Payment) -> None:
    """Whoever lets a step be repeated may mean an attempt after which somebody else was asked.

    Raises:
        InDoubt: It was so.
    """
    number = len(payment.attempts)
    now = await story.look(
        attempting.step_of(number), lambda unit: load_payment(unit, payment.payment_id)
    )
    later = attempting.step_of(number + 1)
    if len(now.attempts) > number and f"payment.answered{_nth(number)}" not in story.steps:
        message = f"Another provider was asked since; go on from {later}."
        raise InDoubt(message, code="attempt_superseded")


async def _ask(story: Story, payment: Payment, step: str) -> ProviderPayment | None:
    account = await _account(story, payment, step)
    asked = debiting.paid_from(payment, account)

    async def doubt(unit: Unit) -> None:
        changed, events = attempting.unknown(await load_payment(unit, payment.payment_id))
        if events:
            await unit.save("payment", payment.payment_id, changed.state.value, changed, events)

    return await story.attempt(
        step,
        provider_of(story, payment),
        lambda port, key: port.create_payment(asked, key=key),
        find=lambda port: port.find_payment(asked),
        doubted=doubt,
        moves_on=_has_next(story, payment, "unavailable"),
        returns=ProviderPayment,
    )


async def _account(story: Story, payment: Payment, step: str) -> BankAccount | None:
    """From where it is paid: read where it is needed, because no journal may have it."""
    if payment.bank_account is None:
        return None
    return await story.look(
        step, lambda unit: unit.load(debiting.KIND, payment.payment_id, BankAccount)
    )


async def forget_account(unit: Unit, payment: Payment) -> None:
    """Keep from where it is paid no longer than its provider may have to be told."""
    if payment.bank_account is not None and not debiting.is_needed(payment):
        await unit.delete(debiting.KIND, payment.payment_id)


def _answering(
    story: Story, payment_id: str, number: int, said: ProviderPayment | None
) -> Callable[[Unit], Awaitable[Payment]]:
    """The payment after the answer to an attempt, with another one where that is to be."""

    async def change(unit: Unit) -> Payment:
        payment = await load_payment(unit, payment_id)
        events: tuple[Event, ...]
        if len(payment.attempts) != number:
            raise InDoubt("Another provider was asked since.", code="attempt_superseded")
        if said is None:
            failure = PaymentFailure(code="unavailable", retryable=True)
            changed, events = attempting.not_executed(payment, failure)
        else:
            changed, events = collecting.apply(payment, said, at=time.time())
            changed = await notify_debit(unit, story.tenant, changed)
        if changed.failure and _has_next(story, changed, changed.failure.code):
            await unit.refer(collecting.references(changed))
            changed = await routed(story, unit, changed)
            told = [one for one in events if not one.type.startswith("headrace.payment.failed")]
            events = (*told, attempting.retried(changed))
        await unit.save("payment", payment_id, changed.state.value, changed, events)
        await unit.refer(collecting.references(changed))
        await forget_account(unit, changed)
        return changed

    return change


def _has_next(story: Story, payment: Payment, code: str) -> bool:
    """Whether the payment may go to another provider for this reason, and there is one."""
    cascade = story.tenant.settings.routing.payment_cascade
    if code not in cascade or not attempting.is_free(payment):
        return False
    return bool(story.hub.route(story.tenant, routing.of_payment(payment)).system)


def _nth(number: int) -> str:
    return f".{number}" if number > 1 else ""


def provider_of(story: Story, payment: Payment) -> System[Payments]:
    """The system that was chosen for the payment.

    Raises:
        Misconfigured: It is not configured any more.
    """
    return configured(story.tenant.collectors, payment.provider)


async def await_payment(
    story: Story, payment: Payment, word: str, wanted: frozenset[PaymentState]
) -> Payment:
    """Wait until the payment is where it is wanted, or has ended otherwise.

    Money that moved is confirmed by the provider's webhook; a refusal needs no confirmation.

    Args:
        word: ``authorised`` or ``ended``, as ``wake`` says it.

    Raises:
        InDoubt: The provider says pending for too long, or has another amount than was asked for.
    """
    if payment.state in collecting.RELEASED:
        return payment
    event = f"payment:{payment.payment_id}:{word}"
    patience = story.tenant.patience
    by_hand = provider_of(story, payment).adapter.by_hand
    for number in range(1, (_ROUNDS_BY_HAND if by_hand else _ROUNDS) + 1):
        pending = payment.state is PaymentState.PENDING
        wait_s = patience.payment_pending_s if pending else patience.payment_confirmation_s
        confirmed = await story.wait(f"payment.{word}.{number}", event, wait_s)
        if confirmed is None:
            await look_up(story, payment, f"{word}.{number}")
        payment = await record_answers(story, f"payment.{word}.{number}.read", payment)
        if confirmed is None and payment.state is PaymentState.REQUIRES_ACTION:
            # The customer did not act in time; nobody else shall.
            payment = await end_payment(story, payment, f"{word}.{number}")
        if payment.state in wanted or payment.state in collecting.ENDED:
            return _whole(payment)
    raise InDoubt("The provider has said pending for too long.", code="payment_pending")


def _whole(payment: Payment) -> Payment:
    """The payment, if what is collected at once is what was asked for.

    Raises:
        InDoubt: It is another amount.
    """
    is_at_once = payment.capture_method is CaptureMethod.AUTOMATIC
    if is_at_once and payment.state in collecting.CAPTURED and payment.captured != payment.amount:
        raise InDoubt("The provider collected another amount.", code="integrity_mismatch")
    return payment


async def look_up(story: Story, payment: Payment, name: str) -> None:
    """Ask the provider, because its webhook did not come."""
    step = f"payments.find_payment.{name}"
    now = payment
    if step not in story.steps:
        # More may have been authorised since, and then the provider has another amount.
        now = await story.look(step, lambda unit: load_payment(unit, payment.payment_id))
    found = await story.call(
        step,
        provider_of(story, payment),
        lambda port, _key: port.find_payment(now),
        returns=ProviderPayment | None,
    )
    if found is not None:
        await record_answers(story, f"payment.{name}.found", payment, found)


async def end_payment(story: Story, payment: Payment, name: str) -> Payment:
    """End the attempt; where the provider refuses, what came of it meanwhile decides."""
    ended = await story.ask(
        f"payments.cancel_payment.{name}",
        provider_of(story, payment),
        lambda port, key: port.cancel_payment(payment, key=key),
        find=lambda port: find_payment_in(port, payment, collecting.RELEASED),
        returns=ProviderPayment,
    )
    if ended is not None:
        return await record_answers(story, f"payment.{name}.cancelled", payment, ended)
    await look_up(story, payment, f"{name}.refused")
    return await record_answers(story, f"payment.{name}.refused.read", payment)


def find_payment_in(
    port: Payments, payment: Payment, wanted: frozenset[PaymentState]
) -> Exchange[ProviderPayment | None]:
    """The provider's payment if it has come so far; None where the effect is still missing."""
    found = yield from port.find_payment(payment)
    return found if found is not None and found.state in wanted else None


def find_or_repeat(
    system: System[Any], wished_at: str, looking: Exchange[T | None]
) -> Exchange[T | None]:
    """What was found; None where nothing was, and the request may be repeated with its key.

    Args:
        wished_at: When it can have been sent first, ISO 8601 in UTC.

    Raises:
        InDoubt: Nobody can be asked, and the key may be forgotten: it would happen twice.
    """
    guarded = _found_in_time(system, wished_at, looking)
    # The call is known by the verb that it is.
    guarded.__name__ = looking.__name__  # type: ignore[attr-defined] # generators have names
    return guarded


def _found_in_time(
    system: System[Any], wished_at: str, looking: Exchange[T | None]
) -> Exchange[T | None]:
    found = yield from looking
    age_s = time.time() - datetime.fromisoformat(wished_at).timestamp()
    if found is None and 0 < system.adapter.keys_live_s < age_s:
        message = "The provider may have forgotten the key; look for the reference in its reports."
        raise InDoubt(message, code="key_forgotten")
    return found


async def load_payment(unit: Unit, payment_id: str) -> Payment:
    """The payment as it stands, locked until the transaction ends."""
    payment = await unit.load("payment", payment_id, Payment)
    if payment is None:
        raise LookupError("the payment is gone")
    return payment


async def record_answers(
    story: Story, step: str, payment: Payment, *said: ProviderPayment
) -> Payment:
    """The payment as it stands now, after what the provider said."""

    async def change(unit: Unit) -> Payment:
        return await apply_answers(unit, payment.payment_id, *said)

    return await story.record(step, change, returns=Payment)


async def apply_answers(unit: Unit, payment_id: str, *answers: ProviderPayment) -> Payment:
    """The payment after what its provider said, stored with the events of the change."""
    payment, events = await load_payment(unit, payment_id), list[Event]()
    for said in answers:
        payment, reported = collecting.apply(payment, said, at=time.time())
        events += reported
    if answers:
        await unit.save("payment", payment.payment_id, payment.state.value, payment, events)
        await unit.refer(collecting.references(payment))
        await forget_account(unit, payment)
    return payment


async def wake(connection: Connection, payment: Payment) -> None:
    """Tell the flow that waits; telling it again changes nothing."""
    for word, states in (("authorised", collecting.AUTHORISED), ("ended", collecting.ENDED)):
        if payment.state in states or payment.state in collecting.ENDED:
            await engine.emit(
                connection,
                queue=_WAITING_QUEUE,
                event=f"payment:{payment.payment_id}:{word}",
                payload={"state": payment.state.value},
            )
