"""Confirm a payment: hand its provider what the payer brought back from a page.

The wish is committed with the payment, and what was brought back beside it, where only this flow
reads it. Neither the journal nor the payment keeps it, and it is gone once the provider has it.
"""

import time
from typing import Final

from gateway.errors import Rejected
from gateway.flows.attempt_payment import find_payment_in, load_payment, provider_of, wake
from gateway.model.confirmation import PayerDetails
from gateway.model.payment import Payment, PaymentFailure, PaymentState, ProviderPayment
from gateway.policy import collecting, confirming
from gateway.runtime.documents import Unit
from gateway.runtime.hub import configured
from gateway.runtime.story import Story

KIND: Final = "confirm_payment"
QUEUE: Final = "interactive"
# Kind of the document that holds what the payer brought back.
DETAILS: Final = "confirmation"
_STEP: Final = "confirmations.confirm_payment"
_GONE_ON: Final = frozenset(PaymentState) - {PaymentState.CREATED, PaymentState.REQUIRES_ACTION}


async def confirm_payment(story: Story) -> str:
    """Hand it over once; what the provider answers is the payment's, a refusal the wish's."""
    # A wish is committed: its outcome has to be known before anything else is wished.
    story.heeds_cancel = False
    wish_id = story.business_id
    payment_id = confirming.payment_of(wish_id)
    payment = await story.record(
        "payment.read", lambda unit: load_payment(unit, payment_id), returns=Payment
    )
    brought = PayerDetails()
    if _STEP not in story.steps:
        brought = await story.look(_STEP, lambda unit: _brought(unit, wish_id))
    collector = provider_of(story, payment)
    try:
        said = await story.call(
            _STEP,
            configured(story.tenant.confirmers, payment.provider),
            lambda port, key: port.confirm_payment(payment, brought.details, key=key),
            find=lambda _port: find_payment_in(collector.port, payment, _GONE_ON),
            returns=ProviderPayment,
        )
    except Rejected as error:
        failure = PaymentFailure(code=error.code)
        await story.record(
            "payment.refused", lambda unit: _end(unit, wish_id, None, failure), returns=None
        )
        return "COMPLETED"
    await story.record("payment.answered", lambda unit: _end(unit, wish_id, said), returns=None)
    return "COMPLETED"


async def _brought(unit: Unit, wish_id: str) -> PayerDetails:
    found = await unit.load(DETAILS, wish_id, PayerDetails)
    if found is None:
        raise LookupError("what the payer brought back is gone")
    return found


async def _end(
    unit: Unit,
    wish_id: str,
    said: ProviderPayment | None,
    failure: PaymentFailure | None = None,
) -> None:
    """The payment after the answer; what the payer brought back is of no use any more."""
    payment_id = confirming.payment_of(wish_id)
    ended = confirming.ended(await load_payment(unit, payment_id), wish_id, failure)
    changed, events = collecting.apply(ended, said, at=time.time()) if said else (ended, ())
    await unit.save("payment", payment_id, changed.state.value, changed, events)
    await unit.refer(collecting.references(changed))
    await unit.delete(DETAILS, wish_id)
    await wake(unit.connection, changed)
