"""Change a payment that was taken: collect what is authorised, raise it, give it up or back.

Each wish is committed with the payment before its flow starts; the provider's answer and its
webhooks decide what became of it.
"""

import time
from collections.abc import Callable
from typing import Final

from gateway.errors import Rejected
from gateway.flows.attempt_payment import (
    end_payment,
    find_or_repeat,
    load_payment,
    provider_of,
    wake,
)
from gateway.flows.collect_payment import record_refund
from gateway.model.event import Event
from gateway.model.payment import (
    Payment,
    PaymentFailure,
    ProviderPayment,
    ProviderRefund,
)
from gateway.policy import adjusting, cancelling, capturing, collecting, refunding
from gateway.ports.exchange import Exchange
from gateway.ports.payments import Payments
from gateway.runtime.documents import Unit
from gateway.runtime.hub import configured
from gateway.runtime.story import Story

QUEUE: Final = "interactive"
CAPTURE: Final = "capture_payment"
UPDATE: Final = "update_payment"
CANCEL: Final = "cancel_payment"
REFUND: Final = "refund_payment"


async def capture_payment(story: Story) -> str:
    """Collect a part of what was authorised, or all of it."""
    payment_id = capturing.payment_of(story.business_id)
    payment = await _read(story, payment_id)
    capture, collector = capturing.find(payment, story.business_id), provider_of(story, payment)
    try:
        said = await story.call(
            "payments.capture_payment",
            collector,
            lambda port, key: port.capture_payment(payment, capture.amount, key=key),
            find=lambda port: find_or_repeat(
                collector,
                capture.requested_at,
                _captured(port, payment, capturing.target(payment, capture)),
            ),
            returns=ProviderPayment,
        )
    except Rejected as error:
        failure = PaymentFailure(code=error.code)
        await _record(
            story, "refused", payment_id, lambda one: capturing.refused(one, capture, failure)
        )
        return "COMPLETED"

    def answered(known: Payment) -> tuple[Payment, tuple[Event, ...]]:
        return collecting.apply(capturing.done(known, capture), said, at=time.time())

    await _record(story, "answered", payment_id, answered)
    return "COMPLETED"


async def update_payment(story: Story) -> str:
    """Have more authorised; where the provider decides later, its webhook says what came of it."""
    payment_id = adjusting.payment_of(story.business_id)
    payment = await _read(story, payment_id)
    update, collector = adjusting.find(payment, story.business_id), provider_of(story, payment)
    try:
        said = await story.call(
            "adjustments.update_payment",
            configured(story.tenant.adjusters, payment.provider),
            lambda port, key: port.update_payment(payment, update.amount, key=key),
            find=lambda _port: find_or_repeat(
                collector,
                update.requested_at,
                _raised(collector.port, payment, update.amount.minor),
            ),
            returns=ProviderPayment,
        )
    except Rejected as error:
        failure = PaymentFailure(code=error.code)

        def refused(known: Payment) -> tuple[Payment, tuple[Event, ...]]:
            changed = adjusting.refused(known, update, failure)
            return changed, (collecting.event(changed, "amount_update_failed"),)

        await _record(story, "refused", payment_id, refused)
        return "COMPLETED"

    def answered(known: Payment) -> tuple[Payment, tuple[Event, ...]]:
        return collecting.apply(adjusting.answered(known, update, said), said, at=time.time())

    await _record(story, "answered", payment_id, answered)
    return "COMPLETED"


async def cancel_payment(story: Story) -> str:
    """Give up what was authorised, or what nobody has paid yet."""
    payment_id = cancelling.payment_of(story.business_id)
    payment = await _read(story, payment_id)
    await end_payment(story, payment, "asked")
    await _record(story, "ended", payment_id, lambda one: cancelling.ended(one, story.business_id))
    return "COMPLETED"


async def refund_payment(story: Story) -> str:
    """Give back a part of what was collected, or all of it."""
    payment_id = refunding.payment_of(story.business_id)
    payment = await _read(story, payment_id)
    refund, collector = refunding.find(payment, story.business_id), provider_of(story, payment)
    try:
        said = await story.call(
            "payments.refund_payment",
            collector,
            lambda port, key: port.refund_payment(
                payment, refund.refund_id, refund.amount, key=key
            ),
            find=lambda port: find_or_repeat(
                collector, refund.requested_at, port.find_refund(payment, refund.refund_id)
            ),
            returns=ProviderRefund,
        )
    except Rejected as error:
        failure = PaymentFailure(code=error.code)
        await _record(
            story, "refused", payment_id, lambda one: refunding.refused(one, refund, failure)
        )
        return "COMPLETED"
    await record_refund(story, refund, said)
    return "COMPLETED"


def _captured(
    port: Payments, payment: Payment, wanted_minor: int
) -> Exchange[ProviderPayment | None]:
    """The provider's payment if so much of it is collected; None where it is not yet."""
    found = yield from port.find_payment(payment)
    return found if found is not None and found.captured.minor >= wanted_minor else None


def _raised(
    port: Payments, payment: Payment, wanted_minor: int
) -> Exchange[ProviderPayment | None]:
    """The provider's payment if so much of it is authorised; None where it is not yet."""
    found = yield from port.find_payment(payment)
    return found if found is not None and found.amount.minor >= wanted_minor else None


async def _read(story: Story, payment_id: str) -> Payment:
    # A wish is committed: its outcome has to be known before anything else is wished.
    story.heeds_cancel = False
    return await story.record(
        "payment.read", lambda unit: load_payment(unit, payment_id), returns=Payment
    )


async def _record(
    story: Story,
    word: str,
    payment_id: str,
    change: Callable[[Payment], tuple[Payment, tuple[Event, ...]]],
) -> None:
    async def store(unit: Unit) -> None:
        changed, events = change(await load_payment(unit, payment_id))
        await unit.save("payment", payment_id, changed.state.value, changed, events)
        await wake(unit.connection, changed)

    await story.record(f"payment.{word}", store, returns=None)
