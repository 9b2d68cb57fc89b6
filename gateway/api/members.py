"""Members: whose account at which provider, as the front-end tells."""

from typing import Any, Final

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from gateway.api import hot, taking, wallets
from gateway.api.facade import Facade
from gateway.api.showing import made, show
from gateway.model.member import Member
from gateway.policy import membership, requests
from gateway.runtime.answers import Answer
from gateway.runtime.documents import Unit

_PUT: Final = "PUT /v1/members/{member_id}"


async def put_member(facade: Facade, request: hot.Request) -> Answer:
    """Remember the account of a member at a system; those at others stay."""
    member_id = request.parameter("member_id")
    asked = await taking.read(facade, request, _PUT.format(member_id=member_id))
    tenant = asked.tenant
    systems = {*tenant.collectors, *tenant.payers, *wallets.movers(tenant)}
    account = requests.read_member(asked.body, member_id=member_id, systems=systems)

    async def begin(unit: Unit) -> Answer:
        # Whoever comes second waits here for the first.
        await unit.insert("member", member_id, "", Member(member_id=member_id))
        known = await unit.load("member", member_id, Member) or Member(member_id=member_id)
        changed, told = membership.with_account(known, account)
        await unit.save("member", member_id, "", changed, told)
        return made(changed, f"/v1/members/{member_id}", status=200)

    return await taking.take(facade, asked, business_id=member_id, begin=begin)


@get("/v1/members/{member_id:str}")
async def get_member(
    request: Request[Any, Any, Any],
    member_id: FromPath[str],
    facade: NamedDependency[Facade],
) -> Response[bytes]:
    """Show a member with its accounts."""
    return await show(request, facade, kind="member", key=member_id, returns=Member)
