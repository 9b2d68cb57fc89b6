"""The routes about mandates as front-ends see them."""

from typing import Any, Final

from gateway.api.mandates import CustomerMandates
from gateway.api.payment_routes import TAKING
from gateway.api.route import Route, Success
from gateway.model.held_mandate import HeldMandate, NewHeldMandate
from gateway.model.instruction import MandateAmendment, NewMandate
from gateway.model.mandate import Mandate

_MADE: Final = ("Location", "Idempotency-Replayed")
# The account is the example of the German bank supervision: nobody's.
MANDATE_EXAMPLE: Final[dict[str, Any]] = {
    "customer_id": "C-100021",
    "debtor_name": "Ada Muster",
    "iban": "DE89370400440532013000",
    "signed_at": "2026-03-01",
    "signature_type": "electronic",
}

AMENDMENT_EXAMPLE: Final[dict[str, Any]] = {"iban": "DE02120300000000202051"}


HELD_MANDATE_EXAMPLE: Final[dict[str, Any]] = {
    "system": "gocardless",
    "method_code": "sepa_debit",
    "customer_id": "C-100021",
    "return_url": "https://shop.example/mandate",
}
_DONE: Final = {200: Success(description="Done.", body=Mandate, headers=_MADE)}
_ASKING: Final = {
    202: Success(description="The provider will be asked.", body=HeldMandate, headers=_MADE)
}


def _changing(word: str, operation_id: str, summary: str, success: dict[int, Success]) -> Route:
    return Route(
        method="POST",
        path=f"/v1/mandates/{{mandate_id}}/{word}",
        operation_id=operation_id,
        tag="mandates",
        summary=summary,
        takes=("Idempotency-Key",),
        success=success,
        problems=(*TAKING, "not_found", "wrong_state"),
        secured=True,
    )


MANDATE_ROUTES: Final = (
    Route(
        method="POST",
        path="/v1/mandates",
        operation_id="submitMandate",
        tag="mandates",
        summary="Take a SEPA mandate that a debtor has signed, or ask a provider for a mandate.",
        description=(
            "Without method_code the mandate is ours: it is collected by files for our own bank"
            " account, whose creditor identifier it names. A B2B mandate waits until its debtor's"
            " bank has it too. With method_code a provider holds it: it is PENDING until the payer"
            " has agreed, where next_action says. Prefer: wait=10 waits for that."
        ),
        takes=("Idempotency-Key", "Prefer"),
        body=(NewMandate, NewHeldMandate),
        example=MANDATE_EXAMPLE,
        success={
            201: Success(
                description="Stored; of the account only the end is shown.",
                body=(Mandate, HeldMandate),
                headers=(*_MADE, "Preference-Applied"),
            )
        },
        problems=TAKING,
        secured=True,
    ),
    Route(
        method="GET",
        path="/v1/mandates/{mandate_id}",
        operation_id="getMandate",
        tag="mandates",
        summary="Show a mandate as it stands now; of the account only the end.",
        success={
            200: Success(
                description="The mandate.", body=(Mandate, HeldMandate), headers=("Cache-Control",)
            )
        },
        problems=("unauthorized", "not_found", "unavailable"),
        secured=True,
    ),
    _changing(
        "activate", "activateMandate", "Say that the debtor's bank has the mandate too.", _DONE
    ),
    Route(
        method="POST",
        path="/v1/mandates/{mandate_id}/amend",
        operation_id="amendMandate",
        tag="mandates",
        summary="Change a mandate of ours without a new signature.",
        description=(
            "The debtor has another account or name, or our bank account another creditor"
            " identifier in its settings. The next collection tells the debtor's bank. A B2B"
            " mandate of a new account is suspended until the debtor's bank has it too."
        ),
        takes=("Idempotency-Key",),
        body=MandateAmendment,
        example=AMENDMENT_EXAMPLE,
        success={200: Success(description="As it is now.", body=Mandate, headers=_MADE)},
        problems=(*TAKING, "not_found", "wrong_state"),
        secured=True,
    ),
    _changing(
        "revoke",
        "revokeMandate",
        "Take a mandate back: nothing is collected by it.",
        {**_DONE, **_ASKING},
    ),
    _changing("sync", "syncMandate", "Ask the provider how a mandate stands.", _ASKING),
    Route(
        method="GET",
        path="/v1/mandates",
        operation_id="listMandates",
        tag="mandates",
        summary="Show the mandates of one customer, the newest first, a hundred at most.",
        asks=("customer_id",),
        success={
            200: Success(
                description="All of them, also those that have ended.",
                body=CustomerMandates,
                headers=("Cache-Control",),
            )
        },
        problems=("unauthorized", "invalid", "unavailable"),
        secured=True,
    ),
)
