"""Disputes at PayPal: what goes out and comes back, and what becomes of the money."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest

from adapters.paypal import ADAPTER
from adapters.paypal.disputes import PayPalDisputes
from gateway.errors import InDoubt, Rejected
from gateway.model.dispute import AnswerKind, DisputeAnswer, DisputeState
from gateway.model.payment import Payment, PaymentState
from gateway.policy import collecting, disputing

SPEC = Path("payments/paypal/customer_disputes_v1.json")
EVIDENCE = DisputeAnswer(
    answer_id="p1-dispute-0a-answer-1",
    kind=AnswerKind.EVIDENCE,
    text="Delivered – signed for.",
    requested_at="2026-01-01T00:00:00+00:00",
)
_S = DisputeState


@pytest.fixture
def spec(contracts: Path) -> dict[str, Any]:
    """PayPal's document of disputes."""
    if not (contracts / SPEC).is_file():
        pytest.skip("contracts not found")
    loaded: dict[str, Any] = json.loads((contracts / SPEC).read_bytes())
    return loaded


@pytest.fixture
def port(account: Any) -> PayPalDisputes:
    made: PayPalDisputes = ADAPTER.port("disputes", account.settings)
    return made


@pytest.fixture
def claimed(account: Any, payment: Callable[..., Payment]) -> Callable[[str], tuple[Payment, str]]:
    """Make a payment that is claimed back; the payment as the hub has it."""

    def made(name: str) -> tuple[Payment, str]:
        ours = payment(payment_id=name, key=name)
        created = account.run(account.payments.create_payment(ours, key=name))
        ours, _ = collecting.apply(ours, created)
        account.simulator.dispute(ours.provider_ref, "BUYER_COMPLAINT", now=account.now)
        ours, _ = collecting.apply(ours, account.run(account.payments.find_payment(ours)))
        return ours, ours.disputes[0].provider_ref

    return made


def looked_up(account: Any, port: PayPalDisputes, payment: Payment) -> Payment:
    """The payment after its provider was asked for all there is."""
    payment, _ = collecting.apply(payment, account.run(account.payments.find_payment(payment)))
    found = account.run(port.find_dispute(payment, payment.disputes[0].provider_ref))
    told, movements = disputing.said(payment, found)
    return collecting.apply(told, movements=movements)[0]


def complaints(spec: dict[str, Any], name: str, value: Any) -> list[str]:
    schema = {"$ref": f"#/components/schemas/{name}", "components": spec["components"]}
    errors = jsonschema.Draft202012Validator(schema).iter_errors(value)
    return [f"{name} {error.json_path}: {error.message}" for error in errors]


def test_every_request_and_answer_validates(
    spec: dict[str, Any],
    account: Any,
    port: PayPalDisputes,
    claimed: Callable[[str], tuple[Payment, str]],
) -> None:
    """As far as the document says: it has the paths, the kinds of evidence, and all answers."""
    ours, ref = claimed("p1")
    account.run(port.submit_evidence(ours, ref, EVIDENCE, key="e"))
    ours, ref = claimed("p2")
    account.run(port.accept_dispute(ours, ref, key="a"))

    wrong, seen = list[str](), set[str]()
    pairs = zip(account.requests, account.responses, strict=True)
    for request, response in pairs:
        path = request.url.path
        if "/disputes" not in path:
            continue
        place = path.replace(path.split("/")[4], "{id}") if path.count("/") > 3 else path
        operation = spec["paths"][place][request.method.lower()]
        seen.add(f"{request.method} {place}")
        answer = operation["responses"][str(response.status_code)]["content"]["application/json"]
        wrong += complaints(spec, answer["schema"]["$ref"].rpartition("/")[2], response.json())
        if place.endswith("provide-evidence"):
            assert request.headers["content-type"].startswith("multipart/form-data; boundary=")
            body = request.read().split(b"\r\n\r\n", 1)[1].rsplit(b"\r\n--", 1)[0]
            for one in json.loads(body)["evidences"]:
                wrong += complaints(spec, "evidence", one)
        if place.endswith("accept-claim"):
            kind = json.loads(request.read())["accept_claim_type"]
            wrong += complaints(spec, "accept_claim_type", kind)

    assert [] == wrong
    base = "/v1/customer/disputes"
    assert {
        f"GET {base}",
        f"GET {base}/{{id}}",
        f"POST {base}/{{id}}/provide-evidence",
        f"POST {base}/{{id}}/accept-claim",
    } == seen


def test_accepted_claim_is_lost_and_given_back_once(
    account: Any, port: PayPalDisputes, claimed: Callable[[str], tuple[Payment, str]]
) -> None:
    """PayPal refunds the order, so the money does not go twice."""
    ours, ref = claimed("p1")

    said = account.run(port.accept_dispute(ours, ref, key="a"))
    now = looked_up(account, port, ours)

    assert _S.LOST is said.state
    assert (_S.LOST, PaymentState.CAPTURED) == (now.disputes[0].state, now.state)
    assert (ours.amount.minor, 0, 0) == (
        now.refunded.minor,
        now.returned.minor,
        now.disputed.minor,
    )


@pytest.mark.parametrize(
    ("outcome", "state", "returned"),
    [
        ("RESOLVED_BUYER_FAVOUR", _S.LOST, True),
        ("RESOLVED_SELLER_FAVOUR", _S.WON, False),
        ("RESOLVED_WITH_PAYOUT", _S.WON, False),
        ("CANCELED_BY_BUYER", _S.WITHDRAWN, False),
    ],
)
def test_decision_is_read(
    account: Any,
    port: PayPalDisputes,
    claimed: Callable[[str], tuple[Payment, str]],
    outcome: str,
    state: DisputeState,
    returned: bool,  # noqa: FBT001 - a column of the table
) -> None:
    """How it ended says the claim, where the money is says the order."""
    ours, _ = claimed("p1")
    account.simulator.decide(ours.provider_ref, outcome, now=account.now)

    now = looked_up(account, port, ours)

    assert (state, returned) == (now.disputes[0].state, bool(now.returned.minor))


def test_events_of_disputes_are_hints(
    account: Any, claimed: Callable[[str], tuple[Payment, str]]
) -> None:
    """They name our payment, and the hub looks."""
    ours, _ = claimed("p1")
    receiver = ADAPTER.port("webhooks", account.settings)

    events = [event for each in account.notifications() for event in receiver.read(each)]
    about = [one for one in events if one.event_type == "CUSTOMER.DISPUTE.CREATED"]

    assert [(True, True, ours.payment_id)] == [(o.hint, o.known, o.payment_id) for o in about]


def test_files_and_long_texts_are_refused(
    account: Any, port: PayPalDisputes, claimed: Callable[[str], tuple[Payment, str]]
) -> None:
    """Before anything is sent."""
    ours, ref = claimed("p1")
    before = len(account.requests)

    for changes, code in (
        ({"files": ("file_1",)}, "files_unsupported"),
        ({"text": "x" * 1_001}, "field_too_long"),
    ):
        given = msgspec.structs.replace(EVIDENCE, **changes)
        with pytest.raises(Rejected) as refused:
            account.run(port.submit_evidence(ours, ref, given, key="e"))
        assert code == refused.value.code
    assert before == len(account.requests)


def test_claim_that_nobody_knows_is_not_answered(
    account: Any, port: PayPalDisputes, payment: Callable[..., Payment]
) -> None:
    """There is nothing to say it to."""
    with pytest.raises(Rejected) as refused:
        account.run(port.accept_dispute(payment(), "NOTHING1", key="a"))

    assert "dispute_missing" == refused.value.code


def test_answer_that_changed_nothing_is_doubt(
    account: Any, port: PayPalDisputes, claimed: Callable[[str], tuple[Payment, str]]
) -> None:
    """PayPal said 200, and the claim is as before."""
    ours, ref = claimed("p1")
    dispute = next(iter(account.simulator._disputes._disputes.values()))
    account.simulator._disputes._awaited = lambda _id: dict(dispute)

    with pytest.raises(InDoubt) as doubt:
        account.run(port.submit_evidence(ours, ref, EVIDENCE, key="e"))

    assert "unconfirmed" == doubt.value.code
