"""The routes about stored payment methods as front-ends see them."""

from typing import Any, Final

from gateway.api.payment_routes import TAKING
from gateway.api.route import Route, Success
from gateway.model.payment_method import NewPaymentMethod, PaymentMethod

# Read by a test as what it claims to be.
PAYMENT_METHOD_EXAMPLE: Final[dict[str, Any]] = {
    "provider": "stripe",
    "method_code": "card",
    "token": "pm_card_visa",
    "customer_id": "C-100021",
    "display_hint": "Visa 4242",
    "expires": "2031-05-31",
}
_READING: Final = ("unauthorized", "not_found", "unavailable")
_SHOWN: Final = ("Cache-Control",)

PAYMENT_METHOD_ROUTES: Final = (
    Route(
        method="POST",
        path="/v1/payment-methods",
        operation_id="addPaymentMethod",
        tag="payment methods",
        summary="Keep an instrument of a customer by its provider's token.",
        description=(
            "A payment or an order names it by payment.payment_method_id; it then goes to the"
            " provider of the token."
        ),
        takes=("Idempotency-Key",),
        body=NewPaymentMethod,
        example=PAYMENT_METHOD_EXAMPLE,
        success={
            201: Success(
                description="Kept.",
                body=PaymentMethod,
                headers=("Location", "Idempotency-Replayed"),
            )
        },
        problems=TAKING,
        secured=True,
    ),
    Route(
        method="GET",
        path="/v1/payment-methods",
        operation_id="listPaymentMethods",
        tag="payment methods",
        summary="Show the payment methods of one customer, the newest first, a hundred at most.",
        asks=("customer_id",),
        success={
            200: Success(
                description="All of them, also those that have ended.",
                body=list[PaymentMethod],
                headers=_SHOWN,
            )
        },
        problems=("unauthorized", "invalid", "unavailable"),
        secured=True,
    ),
    Route(
        method="GET",
        path="/v1/payment-methods/{payment_method_id}",
        operation_id="getPaymentMethod",
        tag="payment methods",
        summary="Show a payment method as it is now.",
        success={
            200: Success(description="The payment method.", body=PaymentMethod, headers=_SHOWN)
        },
        problems=_READING,
        secured=True,
    ),
    Route(
        method="DELETE",
        path="/v1/payment-methods/{payment_method_id}",
        operation_id="revokePaymentMethod",
        tag="payment methods",
        summary="Pay with a payment method no more; doing it again changes nothing.",
        success={200: Success(description="It is revoked.", body=PaymentMethod, headers=_SHOWN)},
        problems=_READING,
        secured=True,
    ),
)
