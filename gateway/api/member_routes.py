"""The routes about members and transfers as front-ends see them."""

from typing import Any, Final

from gateway.api.payment_routes import TAKING
from gateway.api.route import Route, Success
from gateway.model.member import Member, MemberAccount
from gateway.model.transfer import MemberTransfer, NewReversal, NewTransfer

_MADE: Final = ("Location", "Idempotency-Replayed")
_SHOWN: Final = ("ETag", "Cache-Control")
_SAME: Final = Success(description="It is as you have it.", headers=_SHOWN)

# Examples are read by a test as what they claim to be.
MEMBER_EXAMPLE: Final[dict[str, Any]] = {
    "system": "stripe",
    "account": "acct_1032D82eZvKYlo2C",
    "state": "VERIFIED",
}
TRANSFER_EXAMPLE: Final[dict[str, Any]] = {
    "provider": "stripe",
    "amount": {"amount": "80.00", "currency": "EUR"},
    "destination": "M-1001",
    "group": "ORDER-4711",
}
REVERSAL_EXAMPLE: Final[dict[str, Any]] = {"amount": {"amount": "20.00", "currency": "EUR"}}

MEMBER_ROUTES: Final = (
    Route(
        method="PUT",
        path="/v1/members/{member_id}",
        operation_id="putMember",
        tag="members",
        summary="Tell which account of a provider is a member's.",
        description="The account at the system that is named; those at other systems stay.",
        takes=("Idempotency-Key",),
        body=MemberAccount,
        example=MEMBER_EXAMPLE,
        success={200: Success(description="As it is now.", body=Member, headers=_MADE)},
        problems=TAKING,
        secured=True,
    ),
    Route(
        method="GET",
        path="/v1/members/{member_id}",
        operation_id="getMember",
        tag="members",
        summary="Show a member with its accounts.",
        takes=("If-None-Match",),
        success={
            200: Success(description="The member.", body=Member, headers=_SHOWN),
            304: _SAME,
        },
        problems=("unauthorized", "not_found", "unavailable"),
        secured=True,
    ),
    Route(
        method="POST",
        path="/v1/transfers",
        operation_id="submitTransfer",
        tag="transfers",
        summary="Move money between the platform and a member, or between members.",
        takes=("Idempotency-Key",),
        body=NewTransfer,
        example=TRANSFER_EXAMPLE,
        success={
            201: Success(
                description="Stored; its state tells how far it is.",
                body=MemberTransfer,
                headers=_MADE,
            )
        },
        problems=(*TAKING, "not_found"),
        secured=True,
    ),
    Route(
        method="GET",
        path="/v1/transfers/{transfer_id}",
        operation_id="getTransfer",
        tag="transfers",
        summary="Show a transfer as it stands now.",
        takes=("If-None-Match",),
        success={
            200: Success(description="The transfer.", body=MemberTransfer, headers=_SHOWN),
            304: _SAME,
        },
        problems=("unauthorized", "not_found", "unavailable"),
        secured=True,
    ),
    Route(
        method="POST",
        path="/v1/transfers/{transfer_id}/reverse",
        operation_id="reverseTransfer",
        tag="transfers",
        summary="Move a part of a transfer back, or what is left of it.",
        takes=("Idempotency-Key",),
        body=NewReversal,
        example=REVERSAL_EXAMPLE,
        success={
            202: Success(
                description="The provider will be asked.", body=MemberTransfer, headers=_MADE
            )
        },
        problems=(*TAKING, "not_found", "wrong_state"),
        secured=True,
    ),
)
