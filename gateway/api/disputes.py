"""Disputes: showing what is claimed back, and answering it."""

from datetime import UTC, datetime
from typing import Any

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from gateway.api import hot, taking
from gateway.api.facade import Facade
from gateway.api.listing import require
from gateway.api.showing import find, lock, made, not_there, shown
from gateway.errors import Rejected
from gateway.flows import resolve_dispute
from gateway.model.dispute import AnswerKind, Dispute, NewEvidence
from gateway.model.payment import Payment
from gateway.policy import disputing, requests
from gateway.runtime.answers import Answer
from gateway.runtime.documents import Unit


async def accept_dispute(facade: Facade, request: hot.Request) -> Answer:
    """Not contest a claim."""
    dispute_id = request.parameter("dispute_id")
    asked = await taking.read(facade, request, f"POST /v1/disputes/{dispute_id}/accept")
    requests.read_nothing(asked.body)
    return await _answer(facade, asked, dispute_id, AnswerKind.ACCEPTANCE)


async def submit_evidence(facade: Facade, request: hot.Request) -> Answer:
    """Contest a claim."""
    dispute_id = request.parameter("dispute_id")
    asked = await taking.read(facade, request, f"POST /v1/disputes/{dispute_id}/evidence")
    new = requests.read_evidence(asked.body)
    return await _answer(facade, asked, dispute_id, AnswerKind.EVIDENCE, new)


@get("/v1/disputes/{dispute_id:str}")
async def get_dispute(
    request: Request[Any, Any, Any],
    dispute_id: FromPath[str],
    facade: NamedDependency[Facade],
) -> Response[bytes]:
    """Show a dispute as it stands now."""
    caller = facade.caller(request)
    try:
        key = disputing.payment_of(dispute_id)
        payment = await find(facade, caller.tenant, kind="payment", key=key, returns=Payment)
        return shown(disputing.find(payment, dispute_id))
    except (LookupError, Rejected) as error:
        raise not_there("dispute") from error


@get("/v1/disputes")
async def list_disputes(
    request: Request[Any, Any, Any],
    facade: NamedDependency[Facade],
    payment_id: FromQuery[str] = "",
) -> Response[bytes]:
    """Show the disputes of one payment."""
    caller = facade.caller(request)
    require("payment_id", payment_id)
    payment = await find(facade, caller.tenant, kind="payment", key=payment_id, returns=Payment)
    return shown(payment.disputes)


async def _answer(
    facade: Facade,
    asked: taking.Asked,
    dispute_id: str,
    kind: AnswerKind,
    new: NewEvidence | None = None,
) -> Answer:
    async def begin(unit: Unit) -> Answer:
        payment, dispute = await _lock(unit, dispute_id)
        if payment.provider not in asked.tenant.disputes:
            raise _wrong_state("Its provider takes no answers here; answer there.")
        taken_first = asked.tenant.disputes[payment.provider].adapter.claims_taken_first
        if not disputing.may_answer(dispute, kind, taken_first=taken_first):
            raise _wrong_state(f"It cannot be answered so while it is {dispute.state.value}.")
        at = datetime.now(UTC).isoformat()
        changed, answer = disputing.answer(payment, dispute, kind, new=new, at=at)
        await unit.save("payment", payment.payment_id, changed.state.value, changed)
        flow, queue = resolve_dispute.KIND, resolve_dispute.QUEUE
        await asked.start(unit, flow, queue, answer.answer_id, subject=payment.business_id)
        now = disputing.find(changed, dispute_id)
        return made(now, f"/v1/disputes/{dispute_id}", status=202)

    return await taking.take(
        facade, asked, business_id=disputing.payment_of(dispute_id), begin=begin
    )


async def _lock(unit: Unit, dispute_id: str) -> tuple[Payment, Dispute]:
    try:
        key = disputing.payment_of(dispute_id)
        payment = await lock(unit, kind="payment", key=key, returns=Payment)
        dispute = disputing.find(payment, dispute_id)
    except (LookupError, Rejected) as error:
        raise not_there("dispute") from error
    unit.business_id = payment.business_id
    return payment, dispute


def _wrong_state(message: str) -> Rejected:
    return Rejected(message, code="wrong_state")
