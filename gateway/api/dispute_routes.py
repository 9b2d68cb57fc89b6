"""The routes about disputes as front-ends see them."""

from typing import Any, Final

from gateway.api.payment_routes import TAKING
from gateway.api.route import Route, Success
from gateway.model.dispute import Dispute, NewEvidence

# Read by a test as what it claims to be.
EVIDENCE_EXAMPLE: Final[dict[str, Any]] = {
    "text": "Delivered on 2 November and signed for; the tracking number is in the file.",
    "files": ["file_1NkHOaB7qDFxTz"],
}
_MADE: Final = ("Location", "Idempotency-Replayed")
_SHOWN: Final = ("Cache-Control",)

DISPUTE_ROUTES: Final = (
    Route(
        method="GET",
        path="/v1/disputes",
        operation_id="listDisputes",
        tag="disputes",
        summary="Show what is or was claimed back of one payment.",
        asks=("payment_id",),
        success={200: Success(description="All of them.", body=list[Dispute], headers=_SHOWN)},
        problems=("unauthorized", "not_found", "invalid", "unavailable"),
        secured=True,
    ),
    Route(
        method="GET",
        path="/v1/disputes/{dispute_id}",
        operation_id="getDispute",
        tag="disputes",
        summary="Show a dispute as it stands now, with what was answered.",
        success={200: Success(description="The dispute.", body=Dispute, headers=_SHOWN)},
        problems=("unauthorized", "not_found", "unavailable"),
        secured=True,
    ),
    Route(
        method="POST",
        path="/v1/disputes/{dispute_id}/accept",
        operation_id="acceptDispute",
        tag="disputes",
        summary="Not contest a claim: the payer keeps the money. This cannot be undone.",
        takes=("Idempotency-Key",),
        success={
            202: Success(description="The provider will be told.", body=Dispute, headers=_MADE)
        },
        problems=(*TAKING, "not_found", "wrong_state"),
        secured=True,
    ),
    Route(
        method="POST",
        path="/v1/disputes/{dispute_id}/evidence",
        operation_id="submitEvidence",
        tag="disputes",
        summary="Contest a claim with text and files; most providers take evidence once.",
        description="Files are uploaded at the provider first and named by the ids it gave them.",
        takes=("Idempotency-Key",),
        body=NewEvidence,
        example=EVIDENCE_EXAMPLE,
        success={
            202: Success(description="The provider will be told.", body=Dispute, headers=_MADE)
        },
        problems=(*TAKING, "not_found", "wrong_state"),
        secured=True,
    ),
)
