"""The route by which more is authorised, as front-ends see it."""

from typing import Any, Final

from gateway.api.payment_routes import TAKING
from gateway.api.route import Route, Success
from gateway.model.instruction import NewAmount
from gateway.model.payment import Payment

# Read by a test as what it claims to be.
AMOUNT_EXAMPLE: Final[dict[str, Any]] = {"amount": {"amount": "69.90", "currency": "EUR"}}

AMOUNT_ROUTES: Final = (
    Route(
        method="POST",
        path="/v1/payments/{payment_id}/amount",
        operation_id="updatePaymentAmount",
        tag="payments",
        summary="Raise what is authorised, before it is collected.",
        description=(
            "Only for payments that were taken with payment.adjustable. The amount is all that may"
            " be collected then; whoever wants less captures less. amount_updates tells what the"
            " provider made of it, and authorised what may be collected now."
        ),
        takes=("Idempotency-Key",),
        body=NewAmount,
        example=AMOUNT_EXAMPLE,
        success={
            202: Success(
                description="The provider will be asked.",
                body=Payment,
                headers=("Location", "Idempotency-Replayed"),
            )
        },
        problems=(*TAKING, "not_found", "wrong_state"),
        secured=True,
    ),
)
