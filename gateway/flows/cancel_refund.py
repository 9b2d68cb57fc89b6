"""Cancel a refund: ask its provider to let go of it, as long as it has not gone."""

import time
from typing import Final

from gateway.errors import Rejected
from gateway.flows.attempt_payment import load_payment, provider_of, wake
from gateway.model.payment import Payment, PaymentFailure, PaymentState, ProviderRefund, Refund
from gateway.policy import collecting, refunding
from gateway.ports.exchange import Exchange
from gateway.ports.payments import Payments
from gateway.runtime.documents import Unit
from gateway.runtime.hub import configured
from gateway.runtime.story import Story

KIND: Final = "cancel_refund"
QUEUE: Final = "interactive"


async def cancel_refund(story: Story) -> str:
    """Keep the money if it is not too late; what the provider refuses is kept with the wish."""
    # A wish is committed: its outcome has to be known before anything else is wished.
    story.heeds_cancel = False
    wish_id = story.business_id
    payment_id = refunding.payment_of(wish_id)
    payment = await story.record(
        "payment.read", lambda unit: load_payment(unit, payment_id), returns=Payment
    )
    refund = refunding.find(payment, refunding.refund_of(wish_id))
    collector = provider_of(story, payment)
    try:
        await story.call(
            "refund_cancellations.cancel_refund",
            configured(story.tenant.refund_cancellers, payment.provider),
            lambda port, key: port.cancel_refund(payment, refund, key=key),
            find=lambda _port: _let_go(collector.port, payment, refund),
            returns=ProviderRefund,
        )
    except Rejected as error:
        failure = PaymentFailure(code=error.code)

        async def refuse(unit: Unit) -> None:
            known = await load_payment(unit, payment_id)
            changed, events = refunding.not_cancelled(known, wish_id, failure)
            await unit.save("payment", payment_id, changed.state.value, changed, events)

        await story.record("refund.kept", refuse, returns=None)
        return "COMPLETED"

    await story.record(
        "refund.cancelled", lambda unit: record_cancelled(unit, wish_id), returns=None
    )
    return "COMPLETED"


async def record_cancelled(unit: Unit, wish_id: str) -> Payment:
    """The payment of which this was not given back, stored with the events of the change."""
    payment_id = refunding.payment_of(wish_id)
    kept, gone = refunding.cancelled(await load_payment(unit, payment_id), wish_id)
    changed, events = collecting.apply(kept, movements=[gone], at=time.time())
    await unit.save("payment", payment_id, changed.state.value, changed, events)
    await wake(unit.connection, changed)
    return changed


def _let_go(port: Payments, payment: Payment, refund: Refund) -> Exchange[ProviderRefund | None]:
    """The refund if it has not gone and will not; None where it still may."""
    found = yield from port.find_refund(payment, refund.refund_id)
    return found if found is not None and found.state is PaymentState.FAILED else None
