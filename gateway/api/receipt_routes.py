"""The routes by which people say what became of money, as front-ends see them."""

from typing import Any, Final

from gateway.api.payment_routes import TAKING
from gateway.api.route import Route, Success
from gateway.model.payment import Payment, Refund
from gateway.model.receipt import NewReceipt

# Read by a test as what it claims to be.
RECEIPT_EXAMPLE: Final[dict[str, Any]] = {
    "amount": {"amount": "49.90", "currency": "EUR"},
    "reference": "2026-11-22/0004711",
}
_MADE: Final = ("Location", "Idempotency-Replayed")

RECEIPT_ROUTES: Final = (
    Route(
        method="POST",
        path="/v1/payments/{payment_id}/received",
        operation_id="receivePayment",
        tag="payments",
        summary="Record money that came for a payment that no provider collects.",
        description=(
            "Only for systems of which a person says what happens. The same reference is the same"
            " money; too little or too much is taken as it is."
        ),
        takes=("Idempotency-Key",),
        body=NewReceipt,
        example=RECEIPT_EXAMPLE,
        success={200: Success(description="Recorded.", body=Payment, headers=_MADE)},
        problems=(*TAKING, "not_found", "wrong_state"),
        secured=True,
    ),
    Route(
        method="POST",
        path="/v1/refunds/{refund_id}/settled",
        operation_id="settleRefund",
        tag="refunds",
        summary="Record that a refund was given back, where no provider does it.",
        takes=("Idempotency-Key",),
        success={200: Success(description="Recorded.", body=Refund, headers=_MADE)},
        problems=(*TAKING, "not_found", "wrong_state"),
        secured=True,
    ),
    Route(
        method="POST",
        path="/v1/refunds/{refund_id}/cancel",
        operation_id="cancelRefund",
        tag="refunds",
        summary="Not give back what has not gone.",
        description=(
            "At once where nobody was told of it: no file for the bank has it, or a person was to"
            " give it back. Some providers let go of a refund for a while (Mollie, Stripe); others"
            " are answered with wrong_state."
        ),
        takes=("Idempotency-Key",),
        success={202: Success(description="Cancelled, or asked for.", body=Refund, headers=_MADE)},
        problems=(*TAKING, "not_found", "wrong_state"),
        secured=True,
    ),
)
