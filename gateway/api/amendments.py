"""Amendments: a mandate of ours whose debtor has another account or name, or we another number."""

from typing import Final

from gateway.api import hot, taking
from gateway.api.facade import Facade
from gateway.api.showing import lock, made
from gateway.errors import Rejected
from gateway.model.mandate import Mandate
from gateway.policy import amending, mandating
from gateway.runtime.answers import Answer
from gateway.runtime.documents import Unit

_AMEND: Final = "POST /v1/mandates/{mandate_id}/amend"


async def amend_mandate(facade: Facade, request: hot.Request) -> Answer:
    """Change a mandate; the next collection tells the debtor's bank."""
    mandate_id = request.parameter("mandate_id")
    asked = await taking.read(facade, request, _AMEND.format(mandate_id=mandate_id))
    new = amending.read_amendment(asked.body)

    async def begin(unit: Unit) -> Answer:
        mandate = await lock(unit, kind="mandate", key=mandate_id, returns=Mandate)
        bank = asked.tenant.banks.get(mandate.system)
        account = bank.port.accounts.get(mandate.account) if bank else None
        if account is None:
            message = "No bank account of ours collects by this mandate."
            raise Rejected(message, code="wrong_state")
        changed, told = amending.amended(mandate, new, account)
        if told:
            await unit.save("mandate", mandate_id, changed.state.value, changed, told)
        return made(mandating.shown(changed), f"/v1/mandates/{mandate_id}", status=200)

    return await taking.take(facade, asked, business_id=mandate_id, begin=begin)
