"""Mandates of our own: signed by debtors, collected by through a bank's files."""

from datetime import UTC, datetime
from typing import Any, Final

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from gateway.api import hot, taking
from gateway.api.facade import Facade
from gateway.api.showing import find, lock, made, shown
from gateway.errors import Rejected
from gateway.kit.sepa import mandates
from gateway.model.identifiers import new_id
from gateway.model.instruction import NewMandate
from gateway.model.mandate import Mandate, MandateState
from gateway.policy import mandating, requests
from gateway.policy.validation import FieldError, Invalid
from gateway.runtime.answers import Answer
from gateway.runtime.documents import Unit
from gateway.runtime.hub import Tenant

_SIGN: Final = "POST /v1/mandates"
_ACTIVATE: Final = "POST /v1/mandates/{mandate_id}/activate"
_REVOKE: Final = "POST /v1/mandates/{mandate_id}/revoke"


async def submit_mandate(facade: Facade, request: hot.Request) -> Answer:
    """Take a mandate that a debtor has signed."""
    asked = await taking.read(facade, request, _SIGN)
    new = requests.read_mandate(asked.body, today=datetime.now(UTC).date())
    system, account = _place(asked.tenant, new)
    settings = asked.tenant.banks[system].port.accounts[account]
    mandate_id = new.mandate_id or new_id().replace("-", "").upper()
    mandate = mandating.signed(
        new, mandate_id=mandate_id, system=system, account=account, settings=settings
    )

    async def begin(unit: Unit) -> Answer:
        told = mandating.created(mandate)
        state = mandate.state.value
        if not await unit.insert("mandate", mandate_id, state, mandate, told):
            detail = "There is a mandate with this reference; send another one."
            raise Invalid((FieldError("/mandate_id", "mandate_exists", detail),))
        return made(mandating.shown(mandate), f"/v1/mandates/{mandate_id}")

    return await taking.take(facade, asked, business_id=mandate_id, begin=begin)


async def activate_mandate(facade: Facade, request: hot.Request) -> Answer:
    """The debtor's bank has the mandate too, or what suspended it is over."""
    return await _change(facade, request, _ACTIVATE, MandateState.ACTIVE)


async def revoke_mandate(facade: Facade, request: hot.Request) -> Answer:
    """The debtor takes the mandate back; nothing is collected by it any more."""
    return await _change(facade, request, _REVOKE, MandateState.REVOKED)


@get("/v1/mandates/{mandate_id:str}")
async def get_mandate(
    request: Request[Any, Any, Any],
    mandate_id: FromPath[str],
    facade: NamedDependency[Facade],
) -> Response[bytes]:
    """Show a mandate; of the account only the end."""
    caller = facade.caller(request)
    mandate = await find(facade, caller.tenant, kind="mandate", key=mandate_id, returns=Mandate)
    return shown(mandating.shown(mandate))


def _place(tenant: Tenant, new: NewMandate) -> tuple[str, str]:
    """The system and the account that a mandate is given for.

    Raises:
        Invalid: There is no such one, or several and none is named, or it cannot collect.
    """
    system = new.system or (next(iter(tenant.banks)) if len(tenant.banks) == 1 else "")
    bank = tenant.banks.get(system)
    if bank is None:
        known = ", ".join(sorted(tenant.banks)) or "none is configured"
        raise Invalid((FieldError("/system", "system_unknown", f"Send one of: {known}."),))
    account = new.account or bank.port.default_account
    settings = bank.port.accounts.get(account)
    if settings is None or not settings.creditor_id:
        detail = "Send a bank account of ours that has a creditor identifier."
        raise Invalid((FieldError("/account", "account_unknown", detail),))
    return system, account


async def _change(
    facade: Facade, request: hot.Request, operation: str, wanted: MandateState
) -> Answer:
    mandate_id = request.parameter("mandate_id")
    asked = await taking.read(facade, request, operation.format(mandate_id=mandate_id))
    requests.read_nothing(asked.body)

    async def begin(unit: Unit) -> Answer:
        mandate = await lock(unit, kind="mandate", key=mandate_id, returns=Mandate)
        try:
            changed = mandates.change(mandate, wanted)
        except Rejected as error:
            raise Rejected(error.message, code="wrong_state") from error
        told = mandating.news(mandate, changed)
        await unit.save("mandate", mandate_id, changed.state.value, changed, told)
        return made(mandating.shown(changed), f"/v1/mandates/{mandate_id}", status=200)

    return await taking.take(facade, asked, business_id=mandate_id, begin=begin)
