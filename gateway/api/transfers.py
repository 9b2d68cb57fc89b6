"""Transfers: moving money between a platform and its members, and back."""

from datetime import UTC, datetime
from typing import Any, Final

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from gateway.api import hot, taking, wallets
from gateway.api.facade import Facade
from gateway.api.showing import lock, made, show, wrong_state
from gateway.flows import transfer_funds
from gateway.model.identifiers import new_id
from gateway.model.member import Member
from gateway.model.transfer import MemberTransfer
from gateway.model.wallet import WALLETS
from gateway.policy import requests, transferring
from gateway.runtime.answers import Answer
from gateway.runtime.documents import Unit, read_several

_SUBMIT: Final = "POST /v1/transfers"
_REVERSE: Final = "POST /v1/transfers/{transfer_id}/reverse"


async def submit_transfer(facade: Facade, request: hot.Request) -> Answer:
    """Take a transfer: stored and its flow started in one transaction."""
    asked = await taking.read(facade, request, _SUBMIT)
    tenant = asked.tenant
    new = requests.read_transfer(
        asked.body,
        currencies=tenant.settings.currencies,
        movers=wallets.movers(tenant),
    )
    transfer_id, between_wallets = new_id(), new.provider == WALLETS

    async def begin(unit: Unit) -> Answer:
        parties = (new.source, new.destination)
        members = await read_several(unit.connection, tenant.name, "member", parties, Member)
        accounts = {
            pointer: party
            if between_wallets
            else requests.account_at(party, members, new.provider, pointer)
            for pointer, party in (("/source", new.source), ("/destination", new.destination))
        }
        transfer = transferring.of_request(
            new,
            source=accounts["/source"],
            destination=accounts["/destination"],
            transfer_id=transfer_id,
            at=datetime.now(UTC).isoformat(),
        )
        if between_wallets:
            await wallets.check_transfer(unit, new)
            transfer, events = transferring.booked(transfer)
            await unit.insert("transfer", transfer_id, transfer.state.value, transfer, events)
            return made(transfer, f"/v1/transfers/{transfer_id}")
        told = [transferring.event(transfer, "created")]
        await unit.insert("transfer", transfer_id, transfer.state.value, transfer, told)
        await asked.start(unit, transfer_funds.KIND, transfer_funds.QUEUE, transfer_id)
        return made(transfer, f"/v1/transfers/{transfer_id}")

    return await taking.take(facade, asked, business_id=transfer_id, begin=begin)


async def reverse_transfer(facade: Facade, request: hot.Request) -> Answer:
    """Move a part of a transfer back, or what is left of it."""
    transfer_id = request.parameter("transfer_id")
    asked = await taking.read(facade, request, _REVERSE.format(transfer_id=transfer_id))
    new = requests.read_reversal(asked.body)

    async def begin(unit: Unit) -> Answer:
        transfer = await lock(unit, kind="transfer", key=transfer_id, returns=MemberTransfer)
        if not transferring.may_reverse(transfer):
            raise wrong_state("transfer", transfer.state.value)
        amount = requests.amount_to_reverse(transfer, new)
        at = datetime.now(UTC).isoformat()
        changed, reversal = transferring.reverse(transfer, amount, at=at)
        if transfer.provider == WALLETS:
            await wallets.check_debit(unit, transfer.destination, amount, "/destination")
            changed, events = transferring.booked_back(changed, reversal)
            await unit.save("transfer", transfer_id, changed.state.value, changed, events)
            return made(changed, f"/v1/transfers/{transfer_id}", status=202)
        await unit.save("transfer", transfer_id, changed.state.value, changed)
        kind, queue = transfer_funds.REVERSE, transfer_funds.QUEUE
        await asked.start(unit, kind, queue, reversal.reversal_id, subject=transfer_id)
        return made(changed, f"/v1/transfers/{transfer_id}", status=202)

    return await taking.take(facade, asked, business_id=transfer_id, begin=begin)


@get("/v1/transfers/{transfer_id:str}")
async def get_transfer(
    request: Request[Any, Any, Any],
    transfer_id: FromPath[str],
    facade: NamedDependency[Facade],
) -> Response[bytes]:
    """Show a transfer as it stands now, with what was moved back of it."""
    return await show(request, facade, kind="transfer", key=transfer_id, returns=MemberTransfer)
