"""Mandates: our own, collected by through a bank's files, and the way to those of providers."""

from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from gateway.api import held_mandates, hot, taking
from gateway.api.facade import Facade
from gateway.api.listing import require
from gateway.api.showing import find, lock, made, shown
from gateway.errors import Rejected
from gateway.flows.create_mandate import DOCUMENT
from gateway.kit.sepa import mandates
from gateway.model import codec
from gateway.model.held_mandate import HeldMandate
from gateway.model.identifiers import new_id
from gateway.model.instruction import NewMandate
from gateway.model.mandate import Mandate, MandateState
from gateway.policy import holding, mandating, requests
from gateway.policy.validation import FieldError, Invalid
from gateway.runtime import documents
from gateway.runtime.answers import Answer
from gateway.runtime.documents import Unit
from gateway.runtime.hub import Tenant

_SIGN: Final = "POST /v1/mandates"
_ACTIVATE: Final = "POST /v1/mandates/{mandate_id}/activate"
_MOST: Final = 100
_REVOKE: Final = "POST /v1/mandates/{mandate_id}/revoke"


class CustomerMandates(msgspec.Struct, frozen=True, kw_only=True):
    """The mandates of one customer, the newest first, a hundred at most.

    Attributes:
        own: Those that we collect by through a bank's files.
        held: Those that providers hold.
    """

    own: tuple[Mandate, ...]
    held: tuple[HeldMandate, ...]


async def submit_mandate(facade: Facade, request: hot.Request) -> Answer:
    """Take a mandate that a debtor has signed, or ask a provider for one."""
    asked = await taking.read(facade, request, _SIGN)
    if holding.is_meant(asked.body, asked.tenant.holders):
        return await held_mandates.submit(facade, asked)
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
    async with facade.database.connection() as connection:
        held = await documents.read(connection, caller.tenant, DOCUMENT, mandate_id, HeldMandate)
    if held is not None:
        return shown(holding.without_account(held))
    mandate = await find(facade, caller.tenant, kind="mandate", key=mandate_id, returns=Mandate)
    return shown(mandating.shown(mandate))


@get("/v1/mandates")
async def list_mandates(
    request: Request[Any, Any, Any],
    facade: NamedDependency[Facade],
    customer_id: FromQuery[str] = "",
) -> Response[bytes]:
    """Show the mandates of one customer, the newest first."""
    caller = facade.caller(request)
    require("customer_id", customer_id)
    async with facade.database.connection() as connection:
        found = await connection.execute(
            "select kind, body::text from headrace.document where tenant = %s"
            " and kind in ('mandate', 'held_mandate') and body->>'customer_id' = %s"
            " order by created_at desc, id desc limit %s",
            (caller.tenant, customer_id, _MOST),
        )
        rows = await found.fetchall()
    return shown(
        CustomerMandates(
            own=tuple(
                mandating.shown(codec.decode(body, Mandate))
                for kind, body in rows
                if kind != DOCUMENT
            ),
            held=tuple(
                holding.without_account(codec.decode(body, HeldMandate))
                for kind, body in rows
                if kind == DOCUMENT
            ),
        )
    )


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
        held = await unit.load(DOCUMENT, mandate_id, HeldMandate)
        if held is not None and wanted is MandateState.REVOKED:
            return await held_mandates.revoke(asked, unit, held)
        if held is not None:
            raise Rejected("Only the provider can say so; ask it by …/sync.", code="wrong_state")
        mandate = await lock(unit, kind="mandate", key=mandate_id, returns=Mandate)
        try:
            changed = mandates.change(mandate, wanted)
        except Rejected as error:
            raise Rejected(error.message, code="wrong_state") from error
        told = mandating.news(mandate, changed)
        await unit.save("mandate", mandate_id, changed.state.value, changed, told)
        return made(mandating.shown(changed), f"/v1/mandates/{mandate_id}", status=200)

    return await taking.take(facade, asked, business_id=mandate_id, begin=begin)
