"""Disputes at Stripe: what goes out and comes back, against Stripe's own document."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import jsonschema
import msgspec
import pytest

from adapters.stripe import ADAPTER
from adapters.stripe.disputes import StripeDisputes
from adapters.stripe.settings import Settings
from gateway.errors import Rejected
from gateway.model.dispute import AnswerKind, DisputeAnswer, DisputeState
from gateway.model.movement import MovementState
from tests.adapters.stripe.test_schema import complaints, spec

__all__ = ["spec"]

PORT: StripeDisputes = ADAPTER.port("disputes", Settings(secret_key="sk_test_one"))


def evidence(text: str = "It was delivered.", files: tuple[str, ...] = ()) -> DisputeAnswer:
    return DisputeAnswer(
        answer_id="p1-dispute-0a-answer-1",
        kind=AnswerKind.EVIDENCE,
        text=text,
        files=files,
        requested_at="2026-01-01T00:00:00+00:00",
    )


@pytest.fixture
def claimed(account: Any, payment: Callable[..., Any]) -> Callable[[str], tuple[Any, str]]:
    """Make a payment that is claimed back."""

    def made(name: str) -> tuple[Any, str]:
        ours = payment(payment_id=name)
        created = account.run(account.payments.create_payment(ours, key=name))
        ours = msgspec.structs.replace(ours, provider_ref=created.provider_ref)
        return ours, account.simulator.dispute(created.provider_ref, now=account.now)

    return made


def test_every_request_and_answer_validates(
    spec: dict[str, Any], account: Any, claimed: Callable[[str], tuple[Any, str]]
) -> None:
    """Stripe's document has nothing against what is sent, nor against the simulator."""
    answers: list[dict[str, Any]] = []
    handle = account.simulator.handle

    def listening(request: httpx.Request, *, now: float) -> httpx.Response:
        response = handle(request, now=now)
        answers.append(json.loads(response.content))
        return response

    account.simulator.handle = listening
    account.requests.clear()
    for number, given in enumerate(
        (evidence(), evidence(files=("file_1",)), evidence("", ("file_1",)), evidence("x" * 20_000))
    ):
        ours, ref = claimed(f"p{number}")
        account.run(PORT.submit_evidence(ours, ref, given, key=f"e{number}"))
        account.run(PORT.find_dispute(ours, ref))
    ours, ref = claimed("accepted")
    account.run(PORT.accept_dispute(ours, ref, key="a"))

    sent = [one for one in account.requests if "/v1/disputes/" in one.url.path]
    assert [] == [wrong for request in sent for wrong in complaints(spec, request)]
    keys = [one.headers.get("idempotency-key") for one in sent if one.method == "POST"]
    assert ["e0", "e1", "e2", "e3", "a"] == keys
    schema = {"$ref": "#/components/schemas/dispute", "components": spec["components"]}
    disputes = [one for one in answers if one["object"] == "dispute"]
    for one in disputes:
        jsonschema.Draft202012Validator(schema).validate(one)
    assert len(sent) == len(disputes) == 9


def test_more_than_one_file_is_refused(
    account: Any, claimed: Callable[[str], tuple[Any, str]]
) -> None:
    """Stripe has one place for files of no kind; nothing is sent."""
    ours, ref = claimed("p1")
    account.requests.clear()

    with pytest.raises(Rejected) as refused:
        account.run(PORT.submit_evidence(ours, ref, evidence(files=("a", "b")), key="e"))

    assert ("too_many_files", []) == (refused.value.code, account.requests)


@pytest.mark.parametrize(
    ("status", "state", "money"),
    [
        ("needs_response", DisputeState.OPEN, MovementState.PENDING),
        ("under_review", DisputeState.UNDER_REVIEW, MovementState.PENDING),
        ("won", DisputeState.WON, MovementState.UNDONE),
        ("lost", DisputeState.LOST, MovementState.DONE),
        ("warning_needs_response", DisputeState.OPEN, None),
        ("warning_closed", DisputeState.WITHDRAWN, None),
    ],
)
def test_claim_says_how_far_it_is_and_where_the_money_is(
    account: Any,
    claimed: Callable[[str], tuple[Any, str]],
    status: str,
    state: DisputeState,
    money: MovementState | None,
) -> None:
    """An inquiry moves none."""
    ours, ref = claimed("p1")
    account.simulator._disputes._disputes[ref]["status"] = status

    found = account.run(PORT.find_dispute(ours, ref))

    assert state is found.state
    assert money is (found.movement.state if found.movement else None)
    assert "2026-01-08T00:00:00+00:00" == found.due_by


def test_claim_that_cannot_be_answered_has_no_date(
    account: Any, claimed: Callable[[str], tuple[Any, str]]
) -> None:
    """Stripe says 0 then."""
    ours, ref = claimed("p1")
    account.simulator._disputes._disputes[ref]["evidence_details"]["due_by"] = 0

    assert "" == account.run(PORT.find_dispute(ours, ref)).due_by
