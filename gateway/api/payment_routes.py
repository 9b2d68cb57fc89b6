"""The routes about payments and refunds as front-ends see them."""

from typing import Any, Final

from gateway.api.explaining import PaymentExplanation
from gateway.api.payments import Payments, SystemCapabilities
from gateway.api.route import Route, Success
from gateway.api.timelines import Timeline
from gateway.model.instruction import NewCapture, NewPayment, NewRefund
from gateway.model.payment import Payment, Refund

_PAYMENT_ID: Final = "01938c5e-7a10-7c4b-9d7e-0f6b2a4c8e12"
# What every request that changes something may be answered.
TAKING: Final = (
    *("not_json", "key_missing", "unauthorized", "in_flight", "too_large"),
    *("unsupported_media_type", "invalid", "key_reused", "unavailable"),
)
_MADE: Final = ("Location", "Idempotency-Replayed")

# Examples are read by a test as what they claim to be.
PAYMENT_EXAMPLE: Final[dict[str, Any]] = {
    "amount": {"amount": "49.90", "currency": "EUR"},
    "payment": {"method_code": "card", "token": "pm_card_visa"},
    "reference": "WEB-4712",
}
CAPTURE_EXAMPLE: Final[dict[str, Any]] = {"amount": {"amount": "20.00", "currency": "EUR"}}
REFUND_EXAMPLE: Final[dict[str, Any]] = {
    "payment_id": _PAYMENT_ID,
    "amount": {"amount": "9.90", "currency": "EUR"},
    "reason": "parcel was lost",
}

PAYMENT_ROUTES: Final = (
    Route(
        method="POST",
        path="/v1/payments",
        operation_id="submitPayment",
        tag="payments",
        summary="Take a payment that belongs to no order.",
        description=(
            "The payment is stored and its flow started in one transaction; routing chooses who"
            " collects it. With Prefer: wait the answer follows the provider's."
        ),
        takes=("Idempotency-Key", "Prefer"),
        body=NewPayment,
        example=PAYMENT_EXAMPLE,
        success={
            201: Success(
                description="Stored; its state tells how far it is.",
                body=Payment,
                headers=(*_MADE, "Preference-Applied"),
            )
        },
        problems=TAKING,
        secured=True,
    ),
    Route(
        method="POST",
        path="/v1/payments/explain",
        operation_id="explainPayment",
        tag="payments",
        summary="Say where a payment would go and what would be sent, without sending it.",
        body=NewPayment,
        example=PAYMENT_EXAMPLE,
        success={
            200: Success(
                description="Nothing was stored and nothing was sent.",
                body=PaymentExplanation,
                headers=("Cache-Control",),
            )
        },
        problems=(
            *("not_json", "unauthorized", "too_large", "unsupported_media_type", "invalid"),
            "unavailable",
        ),
        secured=True,
    ),
    Route(
        method="GET",
        path="/v1/payments",
        operation_id="listPayments",
        tag="payments",
        summary="List payments, the newest first.",
        asks=("limit", "cursor", "state", "customer_id", "order_id", "reference", "provider"),
        success={200: Success(description="A page.", body=Payments, headers=("Cache-Control",))},
        problems=("unauthorized", "invalid", "unavailable"),
        secured=True,
    ),
    Route(
        method="GET",
        path="/v1/payments/{payment_id}",
        operation_id="getPayment",
        tag="payments",
        summary="Show a payment as it stands now, with what the payer has to do.",
        takes=("If-None-Match",),
        success={
            200: Success(
                description="The payment.", body=Payment, headers=("ETag", "Cache-Control")
            ),
            304: Success(description="It is as you have it.", headers=("ETag", "Cache-Control")),
        },
        problems=("unauthorized", "not_found", "unavailable"),
        secured=True,
    ),
    Route(
        method="GET",
        path="/v1/payments/{payment_id}/timeline",
        operation_id="getPaymentTimeline",
        tag="payments",
        summary="Tell everything that happened to a payment of its own.",
        success={
            200: Success(
                description="Steps, attempts, webhooks and references, oldest first.",
                body=Timeline,
                headers=("Cache-Control",),
            )
        },
        problems=("unauthorized", "not_found", "unavailable"),
        secured=True,
    ),
    Route(
        method="POST",
        path="/v1/payments/{payment_id}/capture",
        operation_id="capturePayment",
        tag="payments",
        summary="Collect an authorised payment, or a part of it.",
        takes=("Idempotency-Key",),
        body=NewCapture,
        example=CAPTURE_EXAMPLE,
        success={
            202: Success(description="The provider will be asked.", body=Payment, headers=_MADE)
        },
        problems=(*TAKING, "not_found", "wrong_state"),
        secured=True,
    ),
    Route(
        method="POST",
        path="/v1/payments/{payment_id}/cancel",
        operation_id="cancelPayment",
        tag="payments",
        summary="Give up a payment that was not collected.",
        takes=("Idempotency-Key",),
        success={
            202: Success(description="The provider will be asked.", body=Payment, headers=_MADE)
        },
        problems=(*TAKING, "not_found", "wrong_state"),
        secured=True,
    ),
    Route(
        method="POST",
        path="/v1/payments/{payment_id}/sync",
        operation_id="syncPayment",
        tag="payments",
        summary="Ask the provider how a payment stands, whatever was heard of it.",
        takes=("Idempotency-Key",),
        success={
            202: Success(description="The provider will be asked.", body=Payment, headers=_MADE)
        },
        problems=(*TAKING, "not_found", "wrong_state"),
        secured=True,
    ),
    Route(
        method="POST",
        path="/v1/refunds",
        operation_id="submitRefund",
        tag="refunds",
        summary="Give back a payment, or a part of it.",
        takes=("Idempotency-Key",),
        body=NewRefund,
        example=REFUND_EXAMPLE,
        success={
            201: Success(
                description="Stored; its state tells how far it is.", body=Refund, headers=_MADE
            )
        },
        problems=(*TAKING, "not_found"),
        secured=True,
    ),
    Route(
        method="GET",
        path="/v1/refunds/{refund_id}",
        operation_id="getRefund",
        tag="refunds",
        summary="Show a refund as it stands now.",
        success={200: Success(description="The refund.", body=Refund, headers=("Cache-Control",))},
        problems=("unauthorized", "not_found", "unavailable"),
        secured=True,
    ),
    Route(
        method="GET",
        path="/v1/capabilities",
        operation_id="listCapabilities",
        tag="payments",
        summary="Show what can be paid with: methods, countries, currencies and verbs.",
        success={
            200: Success(
                description="Each system that collects payments.",
                body=list[SystemCapabilities],
                headers=("Cache-Control",),
            )
        },
        problems=("unauthorized", "unavailable"),
        secured=True,
    ),
)
