"""The routes as front-ends see them, in one table: paths, bodies, answers and problems."""

from typing import Any, Final

from gateway.api.amount_routes import AMOUNT_ROUTES
from gateway.api.confirmation_routes import CONFIRMATION_ROUTES
from gateway.api.dispute_routes import DISPUTE_ROUTES
from gateway.api.mandate_routes import MANDATE_ROUTES
from gateway.api.member_routes import MEMBER_ROUTES
from gateway.api.operations import Operation
from gateway.api.payment_method_routes import PAYMENT_METHOD_ROUTES
from gateway.api.payment_routes import PAYMENT_ROUTES
from gateway.api.payout_routes import PAYOUT_ROUTES
from gateway.api.receipt_routes import RECEIPT_ROUTES
from gateway.api.route import Route, Success
from gateway.api.timelines import Timeline
from gateway.api.wallet_routes import WALLET_ROUTES
from gateway.model.order import NewOrder, Order

MEDIA_TYPE: Final = "application/yaml"
_ORDER_ID: Final = "01938c5e-7a10-7c4b-9d7e-0f6b2a4c8e11"
_OPERATION_ID: Final = "5d1f1f0e-6f0a-5c67-9a0c-0d2f4f2f7a55"

# Examples are read by a test as what they claim to be.
ORDER_EXAMPLE: Final[dict[str, Any]] = {
    "channel": "B2C",
    "party": {
        "party_id": "C-100021",
        "kind": "PERSON",
        "names": ["Ada", "Muster"],
        "email": "ada@example.com",
        "addresses": [
            {
                "line1": "Hauptstraße",
                "house_number": "1",
                "postal_code": "10115",
                "city": "Berlin",
                "country": "DE",
            }
        ],
    },
    "items": [
        {
            "product_id": "WALLBOX-11",
            "quantity": 2,
            "unit_price": {"amount": "699.00", "currency": "EUR"},
        }
    ],
    "total": {"amount": "1398.00", "currency": "EUR"},
    "payment": {"method_code": "card", "token": "pm_card_visa"},
    "reference": "WEB-4711",
}
OPERATION_EXAMPLE: Final[dict[str, Any]] = {
    "operation_id": _OPERATION_ID,
    "kind": "place_order",
    "state": "RUNNING",
    "order_id": _ORDER_ID,
    "links": {
        "self": f"/v1/operations/{_OPERATION_ID}",
        "order": f"/v1/orders/{_ORDER_ID}",
        "timeline": f"/v1/orders/{_ORDER_ID}/timeline",
    },
    "order_state": "SUBMITTED",
    "step": "",
    "reason": "",
    "code": "",
    "message": "",
    "resume_at": "",
}


ROUTES: Final = (
    Route(
        method="POST",
        path="/v1/orders",
        operation_id="submitOrder",
        tag="orders",
        summary="Take an order.",
        description=(
            "The order is stored and its flow started in one transaction; the answer follows the"
            " commit. Repeat it with the same Idempotency-Key: the answer is the same, byte by"
            " byte."
        ),
        takes=("Idempotency-Key", "Prefer"),
        body=NewOrder,
        example=ORDER_EXAMPLE,
        success={
            202: Success(
                description="Taken; the operation tells what becomes of it.",
                body=Operation,
                headers=("Location", "Preference-Applied", "Idempotency-Replayed"),
                example=OPERATION_EXAMPLE,
            ),
            200: Success(
                description="Taken, and ended within the time that Prefer asked for.",
                body=Operation,
                headers=("Location", "Preference-Applied", "Idempotency-Replayed"),
                example=OPERATION_EXAMPLE | {"state": "COMPLETED", "order_state": "COMPLETED"},
            ),
        },
        problems=(
            *("not_json", "key_missing", "unauthorized", "in_flight", "too_large"),
            *("unsupported_media_type", "invalid", "key_reused", "unavailable"),
        ),
        secured=True,
    ),
    Route(
        method="GET",
        path="/v1/orders/{order_id}",
        operation_id="getOrder",
        tag="orders",
        summary="Show an order as it stands now.",
        takes=("If-None-Match",),
        success={
            200: Success(description="The order.", body=Order, headers=("ETag", "Cache-Control")),
            304: Success(description="It is as you have it.", headers=("ETag", "Cache-Control")),
        },
        problems=("unauthorized", "not_found", "unavailable"),
        secured=True,
    ),
    Route(
        method="GET",
        path="/v1/orders/{order_id}/timeline",
        operation_id="getTimeline",
        tag="orders",
        summary="Tell everything that happened to an order.",
        success={
            200: Success(
                description="Steps, attempts, webhooks and document numbers, oldest first.",
                body=Timeline,
                headers=("Cache-Control",),
            )
        },
        problems=("unauthorized", "not_found", "unavailable"),
        secured=True,
    ),
    *PAYMENT_ROUTES,
    *RECEIPT_ROUTES,
    *AMOUNT_ROUTES,
    *CONFIRMATION_ROUTES,
    *PAYMENT_METHOD_ROUTES,
    *DISPUTE_ROUTES,
    *MANDATE_ROUTES,
    *PAYOUT_ROUTES,
    *MEMBER_ROUTES,
    *WALLET_ROUTES,
    Route(
        method="GET",
        path="/v1/operations/{operation_id}",
        operation_id="getOperation",
        tag="operations",
        summary="Show how far an operation is.",
        success={
            200: Success(
                description="The operation as it stands.",
                body=Operation,
                headers=("Cache-Control",),
                example=OPERATION_EXAMPLE,
            )
        },
        problems=("unauthorized", "not_found", "unavailable"),
        secured=True,
    ),
    Route(
        method="POST",
        path="/webhooks/{tenant}/{system}",
        operation_id="receiveWebhook",
        tag="webhooks",
        summary="Take a webhook delivery of a provider.",
        description=(
            "Signed as the provider signs. Success is answered after the commit, and for"
            " repetitions too. Some providers expect another status of success, or of refusal,"
            " and get that."
        ),
        body=bytes,
        success={200: Success(description="Kept.")},
        problems=("signature", "not_found", "too_large", "misconfigured", "unavailable"),
        sheds=False,
    ),
    Route(
        method="GET",
        path="/webhooks/{tenant}/{system}",
        operation_id="answerWebhookChallenge",
        tag="webhooks",
        summary="Tell a provider that the endpoint is ours, or take a delivery by GET.",
        description="Only for systems whose provider calls so; 405 for all others.",
        success={200: Success(description="The answer that the provider expects.")},
        problems=(
            *("signature", "not_found", "method_not_allowed", "misconfigured", "unavailable"),
        ),
        sheds=False,
    ),
    Route(
        method="GET",
        path="/livez",
        operation_id="live",
        tag="health",
        summary="Say that the process turns.",
        success={200: Success(description="It does.", body="text/plain")},
        sheds=False,
    ),
    Route(
        method="GET",
        path="/readyz",
        operation_id="ready",
        tag="health",
        summary="Say that requests can be served.",
        success={200: Success(description="They can.", body="text/plain")},
        problems=("unavailable",),
        sheds=False,
    ),
    Route(
        method="GET",
        path="/problems/{code}",
        operation_id="explainProblem",
        tag="problems",
        summary="Explain a type of problem.",
        success={
            200: Success(description="What it means and what to do.", body=dict[str, str | int])
        },
        problems=("not_found",),
    ),
    Route(
        method="GET",
        path="/openapi.yaml",
        operation_id="getContract",
        tag="problems",
        summary="This document.",
        success={200: Success(description="OpenAPI 3.1.", body=MEDIA_TYPE)},
    ),
)
