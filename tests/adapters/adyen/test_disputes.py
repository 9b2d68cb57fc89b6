"""The port ``disputes`` of Adyen, which cannot be asked how a claim stands."""

import base64
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapters.adyen import ADAPTER
from gateway.errors import HeadraceError, InDoubt, Misconfigured, Rejected, Unavailable
from gateway.kit.blocking import run
from gateway.model.dispute import AnswerKind, DisputeAnswer, DisputeState
from gateway.model.money import Money
from gateway.model.payment import Payment, PaymentState
from gateway.policy import collecting, disputing
from tests.adapters.adyen.test_schema import document, held_against
from tests.redacting import redact_body

TEXT = "Delivered to Ada Lovelace, Lindenallee 77a, and signed for."
S = DisputeState


def evidence(text: str = TEXT, **fields: Any) -> DisputeAnswer:
    at = "2026-01-01T00:00:00Z"
    kind = AnswerKind.EVIDENCE
    return DisputeAnswer(answer_id="a", kind=kind, text=text, requested_at=at, **fields)


def hear(account: Any, payment: Payment) -> Payment:
    """The payment after all that has come, as the hub applies it."""
    for event in account.events():
        payment, _ = collecting.apply(payment, event.payment, event.movements)
        payment, _ = collecting.apply(disputing.heard(payment, event.claims))
    return payment


@pytest.fixture
def claim(account: Any, payment: Any) -> tuple[Payment, str]:
    """A collected payment whose issuer has taken 7.00 back, and Adyen's reference of that."""
    ours = payment()
    account.run(account.payments.create_payment(ours, key="k"))
    ref = account.simulator.report("CHARGEBACK", ours.payment_id, 700, now=account.now)
    return hear(account, ours), ref


def test_claim_says_until_when_it_can_be_answered(claim: tuple[Payment, str]) -> None:
    """The money is gone at once; that it is lost is not said by that."""
    payment, ref = claim
    (dispute,) = payment.disputes

    assert (ref, Money(700, "EUR"), "4853") == (
        dispute.provider_ref,
        dispute.amount,
        dispute.reason_code,
    )
    assert dispute.due_by.startswith("2026-01-15")
    assert (S.LOST, S.OPEN) == (dispute.state, dispute.progress)
    assert not disputing.may_answer(dispute, AnswerKind.EVIDENCE)
    assert disputing.may_answer(dispute, AnswerKind.EVIDENCE, taken_first=True)


def test_evidence_goes_as_a_page(account: Any, claim: tuple[Payment, str]) -> None:
    """The reasons are asked for, the text supplied once, the claim defended; then it may be won."""
    payment, ref = claim
    port = account.port("disputes")
    said = account.run(port.submit_evidence(payment, ref, evidence(), key="e"))
    payment = hear(account, payment)
    (dispute,) = payment.disputes

    assert S.UNDER_REVIEW is said.state
    assert {ref: 1} == account.simulator.effects()["evidence"]
    sent = [json.loads(one.read()) for one in account.requests[-3:]]
    (page,) = sent[1]["defenseDocuments"]
    assert base64.b64decode(page["content"]).startswith(b"%PDF-")
    assert ("DefenseMaterial", "SupplyDefenseMaterial") == (
        page["defenseDocumentTypeCode"],
        sent[2]["defenseReasonCode"],
    )
    assert S.UNDER_REVIEW is dispute.progress
    assert not disputing.may_answer(dispute, AnswerKind.EVIDENCE, taken_first=True)
    account.simulator.report("CHARGEBACK_REVERSED", payment.payment_id, 700, now=1.0, of=ref)
    payment = hear(account, payment)
    assert (S.WON, PaymentState.CAPTURED, 0) == (
        payment.disputes[0].state,
        payment.state,
        payment.returned.minor,
    )


def test_acceptance_ends_it(account: Any, claim: tuple[Payment, str]) -> None:
    """Adyen says so by a notification too; a second one is refused, and nothing happens twice."""
    payment, ref = claim
    port = account.port("disputes")
    assert S.ACCEPTED is account.run(port.accept_dispute(payment, ref, key="a")).state
    with pytest.raises(Rejected):
        account.run(port.accept_dispute(payment, ref, key="a"))
    payment = hear(account, payment)

    assert {ref: 1} == account.simulator.effects()["acceptance"]
    assert S.ACCEPTED is payment.disputes[0].progress
    assert not disputing.may_answer(payment.disputes[0], AnswerKind.ACCEPTANCE, taken_first=True)


def test_lost_answers_are_told_by_notifications(account: Any, claim: tuple[Payment, str]) -> None:
    """What was supplied is not supplied again; what was defended says so itself."""
    payment, ref = claim
    port = account.port("disputes")

    def losing(path: str) -> Any:
        def send(request: httpx.Request) -> httpx.Response:
            response = account.send(request)
            if request.url.path.endswith(path):
                raise InDoubt("The answer was lost.", code="lost")
            return response

        return send

    for path in ("supplyDefenseDocument", "defendDispute"):
        with pytest.raises(InDoubt):
            run(port.submit_evidence(payment, ref, evidence(), key="e"), losing(path))
    paths = [one.url.path.rpartition("/")[2] for one in account.requests]

    assert 1 == paths.count("supplyDefenseDocument")
    assert {ref: 1} == account.simulator.effects()["evidence"]
    assert S.UNDER_REVIEW is hear(account, payment).disputes[0].progress


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (evidence(files=("file_1",)), "files_unsupported"),
        (evidence(reason="Whatever"), "reason_unsupported"),
        (evidence(reason="GoodsNotReturned"), "documents_missing"),
        (evidence(""), "text_missing"),
        (evidence("花子"), "text_unsupported"),
    ],
)
def test_what_cannot_be_sent_is_refused(
    account: Any, claim: tuple[Payment, str], answer: DisputeAnswer, code: str
) -> None:
    """Before anything is supplied."""
    payment, ref = claim
    with pytest.raises(Rejected) as refused:
        account.run(account.port("disputes").submit_evidence(payment, ref, answer, key="e"))

    assert code == refused.value.code
    assert {} == dict(account.simulator.effects()["evidence"])
    assert not any("supply" in one.url.path for one in account.requests)


def test_other_reason_takes_another_document(account: Any, claim: tuple[Payment, str]) -> None:
    """One of those of which one is enough."""
    payment, ref = claim
    answer = evidence(reason="GoodsRepairedOrReplaced")
    account.run(account.port("disputes").submit_evidence(payment, ref, answer, key="e"))

    assert {ref: 1} == account.simulator.effects()["evidence"]


def test_claim_of_another_payment_is_not_answered(account: Any, claim: tuple[Payment, str]) -> None:
    """Nothing is sent."""
    payment, _ = claim
    sent = len(account.requests)
    port = account.port("disputes")
    for exchange in (
        port.accept_dispute(payment, "NOWHERE", key="a"),
        port.submit_evidence(payment, "NOWHERE", evidence(), key="a"),
    ):
        with pytest.raises(Rejected):
            account.run(exchange)
    assert account.run(port.find_dispute(payment, "NOWHERE")) is None
    assert sent == len(account.requests)


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (500, b"{}", InDoubt),
        (401, b"{}", Misconfigured),
        (429, b"{}", Unavailable),
        (422, b'{"errorCode": "702", "errorType": "validation"}', Rejected),
        (200, b"<html>", InDoubt),
        (200, b"{}", InDoubt),
        (200, b'{"disputeServiceResult": {"success": false}}', Rejected),
    ],
)
def test_answers_mean_what_the_caller_does_next(
    account: Any,
    claim: tuple[Payment, str],
    status: int,
    body: bytes,
    expected: type[HeadraceError],
) -> None:
    """Doubt only where it may have happened."""
    payment, ref = claim
    exchange = account.port("disputes").accept_dispute(payment, ref, key="a")
    with pytest.raises(expected):
        run(exchange, lambda _: httpx.Response(status, content=body))


def test_second_chargeback_is_the_same_claim_for_adyen(
    account: Any, claim: tuple[Payment, str]
) -> None:
    """Its money is booked apart."""
    payment, ref = claim
    account.simulator.report("CHARGEBACK_REVERSED", payment.payment_id, 700, now=1.0, of=ref)
    account.simulator.report("SECOND_CHARGEBACK", payment.payment_id, 700, now=2.0, of=ref)
    payment = hear(account, payment)
    account.run(account.port("disputes").accept_dispute(payment, f"{ref}-2", key="a"))

    assert {ref: 1} == account.simulator.effects()["acceptance"]


def test_requests_and_answers_validate(
    contracts: Path, account: Any, claim: tuple[Payment, str]
) -> None:
    """Against Adyen's own document, and evidence of them shows nobody."""
    spec = document(contracts, "DisputeService-v30.json")
    payment, ref = claim
    port = account.port("disputes")
    account.run(port.submit_evidence(payment, ref, evidence(), key="e"))
    other = account.simulator.report("CHARGEBACK", payment.payment_id, 100, now=account.now)
    account.run(port.accept_dispute(hear(account, payment), other, key="a"))

    found = []
    pairs = zip(account.requests, account.responses, strict=True)
    asked = [pair for pair in pairs if "DisputeService" in pair[0].url.path]
    for request, response in asked:
        operation = spec["paths"]["/" + request.url.path.rpartition("/")[2]]["post"]
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        found += held_against(spec, schema, json.loads(request.read()))
        schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
        found += held_against(spec, schema, response.json())
    shown = "".join(
        redact_body("application/json", one.read(), ADAPTER.readable) for one, _ in asked
    )
    print(f"\n{len(asked)} requests validated")

    assert [] == found
    assert 4 == len(asked)
    assert all(each in shown for each in ("SupplyDefenseMaterial", "DefenseMaterial", "AcmeECOM"))
    page = base64.b64encode(b"%PDF-1.4").decode()[:8]
    assert page not in shown
