"""The route by which payments begin later or go on, as front-ends see it."""

from typing import Any, Final

from gateway.api.payment_routes import TAKING
from gateway.api.route import Route, Success
from gateway.model.confirmation import NewConfirmation
from gateway.model.payment import Payment

# Read by a test as what it claims to be.
CONFIRMATION_EXAMPLE: Final[dict[str, Any]] = {"details": {"redirectResult": "eyJ0cmFuc1N0YXR1cyI"}}

CONFIRMATION_ROUTES: Final = (
    Route(
        method="POST",
        path="/v1/payments/{payment_id}/confirm",
        operation_id="confirmPayment",
        tag="payments",
        summary="Begin a payment that waited, or go on with what the payer brought back.",
        description=(
            "A payment that was taken with confirm: false begins, with the token, payment_method_id"
            " or return_url that was missing. In REQUIRES_ACTION the details that the provider's"
            " page or component gave to the front-end are handed over; providers that need none"
            " are asked how the payment stands. Details are kept only until they are handed over."
        ),
        takes=("Idempotency-Key",),
        body=NewConfirmation,
        example=CONFIRMATION_EXAMPLE,
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
