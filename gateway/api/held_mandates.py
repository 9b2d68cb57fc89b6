"""Mandates that providers hold: asked for, taken back and read back by flows."""

from datetime import UTC, datetime
from typing import Final

import msgspec

from gateway.api import hot, taking
from gateway.api.facade import Facade
from gateway.api.showing import find, lock, made, wrong_state
from gateway.api.taking import Asked
from gateway.errors import Rejected
from gateway.flows import create_mandate
from gateway.flows.create_mandate import DOCUMENT
from gateway.model.held_mandate import HeldMandate
from gateway.model.identifiers import new_id
from gateway.model.mandate import Mandate, MandateState
from gateway.policy import holding, requests
from gateway.runtime.answers import Answer
from gateway.runtime.documents import Unit

_SYNC: Final = "POST /v1/mandates/{mandate_id}/sync"
_S = MandateState


async def submit(facade: Facade, asked: Asked) -> Answer:
    """Take the wish for a mandate; the provider is asked by a flow."""
    tenant = asked.tenant
    signing = {name: one.port.signing for name, one in tenant.holders.items()}
    new = holding.read_mandate(asked.body, signing=signing)
    mandate_id = new_id()
    mandate = holding.of_request(new, mandate_id=mandate_id, at=datetime.now(UTC).isoformat())

    async def begin(unit: Unit) -> Answer:
        told = [holding.event(mandate, "created")]
        await unit.insert(DOCUMENT, mandate_id, mandate.state.value, mandate, told)
        await asked.start(unit, create_mandate.KIND, create_mandate.QUEUE, mandate_id)
        return _shown(mandate, status=201)

    async def later(mandate_id: str) -> tuple[Answer, bool]:
        now = await find(facade, tenant.name, kind=DOCUMENT, key=mandate_id, returns=HeldMandate)
        answer = _shown(now, status=201)
        if asked.wait_s:
            headers = {**answer.headers, "Preference-Applied": f"wait={asked.wait_s}"}
            answer = msgspec.structs.replace(answer, headers=headers)
        return answer, now.next_action is not None or now.state is not _S.PENDING

    return await taking.take(
        facade,
        asked,
        business_id=mandate_id,
        answer=_shown(mandate, status=201),
        begin=begin,
        later=later,
    )


async def sync_mandate(facade: Facade, request: hot.Request) -> Answer:
    """Ask the provider how a mandate stands, whatever was heard of it."""
    mandate_id = request.parameter("mandate_id")
    asked = await taking.read(facade, request, _SYNC.format(mandate_id=mandate_id))
    requests.read_nothing(asked.body)

    async def begin(unit: Unit) -> Answer:
        mandate = await unit.load(DOCUMENT, mandate_id, HeldMandate)
        if mandate is None:
            await lock(unit, kind="mandate", key=mandate_id, returns=Mandate)
            raise Rejected("The mandate is ours: there is nobody to ask.", code="wrong_state")
        if not holding.is_known(mandate):
            raise wrong_state("mandate", mandate.state.value)
        await _start(asked, unit, create_mandate.SYNC, create_mandate.SYNC_QUEUE, mandate_id)
        return _shown(mandate, status=202)

    return await taking.take(facade, asked, business_id=mandate_id, begin=begin)


async def revoke(asked: Asked, unit: Unit, mandate: HeldMandate) -> Answer:
    """Collect nothing by it from now on, and have the provider end it.

    Raises:
        Rejected: It has ended, or it is not known yet what the provider did (``wrong_state``).
    """
    if mandate.state in holding.ENDED or not holding.is_known(mandate):
        raise wrong_state("mandate", mandate.state.value)
    changed = holding.revoking(mandate, at=datetime.now(UTC).isoformat())
    await unit.save(DOCUMENT, mandate.mandate_id, changed.state.value, changed)
    kind, queue = create_mandate.REVOKE, create_mandate.QUEUE
    await _start(asked, unit, kind, queue, mandate.mandate_id)
    return _shown(changed, status=202)


async def _start(asked: Asked, unit: Unit, kind: str, queue: str, mandate_id: str) -> None:
    await asked.start(unit, kind, queue, f"{mandate_id}:{new_id()}", subject=mandate_id)


def _shown(mandate: HeldMandate, *, status: int) -> Answer:
    shown = holding.without_account(mandate)
    return made(shown, f"/v1/mandates/{mandate.mandate_id}", status=status)
