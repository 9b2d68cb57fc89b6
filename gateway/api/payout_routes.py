"""The routes about payouts as front-ends see them."""

from typing import Any, Final

from gateway.api.payment_routes import TAKING
from gateway.api.route import Route, Success
from gateway.model.payout import (
    NewPayout,
    PayeeVerification,
    Payout,
    PayoutBatch,
    PayoutCancellation,
)

_MADE: Final = ("Location", "Idempotency-Replayed")
_CHANGED: Final = {200: Success(description="As it is now.", body=Payout, headers=_MADE)}

# Examples are read by a test as what they claim to be.
PAYOUT_EXAMPLE: Final[dict[str, Any]] = {
    "provider": "stripe",
    "amount": {"amount": "120.00", "currency": "EUR"},
    "destination": {"account": "acct_1032D82eZvKYlo2C"},
    "text": "Sales of October",
    "batch_id": "2026-10",
}
CANCELLATION_EXAMPLE: Final[dict[str, Any]] = {"withdrawn": False}
VERIFICATION_EXAMPLE: Final[dict[str, Any]] = {"result": "RVMC", "name": "Ada Lovelace"}

PAYOUT_ROUTES: Final = (
    Route(
        method="POST",
        path="/v1/payouts",
        operation_id="submitPayout",
        tag="payouts",
        summary="Send money to a member, a wallet or a bank account.",
        description=(
            "It is sent at once, or held: until its payee is verified where it goes to an IBAN,"
            " and until another client approves it where the tenant's settings say so. A bank that"
            " is told in files verifies the payee itself, once it has the file."
        ),
        takes=("Idempotency-Key",),
        body=NewPayout,
        example=PAYOUT_EXAMPLE,
        success={
            201: Success(
                description="Stored; its state tells how far it is.", body=Payout, headers=_MADE
            )
        },
        problems=(*TAKING, "not_found"),
        secured=True,
    ),
    Route(
        method="GET",
        path="/v1/payouts/{payout_id}",
        operation_id="getPayout",
        tag="payouts",
        summary="Show a payout as it stands now.",
        success={200: Success(description="The payout.", body=Payout, headers=("Cache-Control",))},
        problems=("unauthorized", "not_found", "unavailable"),
        secured=True,
    ),
    Route(
        method="POST",
        path="/v1/payouts/{payout_id}/approve",
        operation_id="approvePayout",
        tag="payouts",
        summary="Agree to a payout that another client has asked for.",
        takes=("Idempotency-Key",),
        success=_CHANGED,
        problems=(*TAKING, "not_found", "wrong_state", "same_client"),
        secured=True,
    ),
    Route(
        method="POST",
        path="/v1/payouts/{payout_id}/verification",
        operation_id="verifyPayee",
        tag="payouts",
        summary="Tell what the payee's bank said of the name.",
        takes=("Idempotency-Key",),
        body=PayeeVerification,
        example=VERIFICATION_EXAMPLE,
        success=_CHANGED,
        problems=(*TAKING, "not_found", "wrong_state"),
        secured=True,
    ),
    Route(
        method="POST",
        path="/v1/payouts/{payout_id}/cancel",
        operation_id="cancelPayout",
        tag="payouts",
        summary="Give a payout up that nobody has yet.",
        description=(
            "What stands in a file for a bank can only be stopped by the bank: `withdrawn` says"
            " that somebody has seen to that. Money that leaves all the same is told as paid."
        ),
        takes=("Idempotency-Key",),
        body=PayoutCancellation,
        example=CANCELLATION_EXAMPLE,
        success={
            **_CHANGED,
            202: Success(description="The provider will be asked.", body=Payout, headers=_MADE),
        },
        problems=(*TAKING, "not_found", "wrong_state"),
        secured=True,
    ),
    Route(
        method="GET",
        path="/v1/payout-batches/{batch_id}",
        operation_id="getPayoutBatch",
        tag="payouts",
        summary="Count and sum the payouts of a batch, by state.",
        success={
            200: Success(description="The batch.", body=PayoutBatch, headers=("Cache-Control",))
        },
        problems=("unauthorized", "not_found", "unavailable"),
        secured=True,
    ),
)
