"""Payouts: sending money, once everybody has agreed who has to."""

from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from gateway.api import hot, taking, wallets
from gateway.api.facade import Facade
from gateway.api.showing import find, lock, made, shown, wrong_state
from gateway.api.taking import Asked
from gateway.errors import Rejected
from gateway.flows import send_payout
from gateway.model import codec
from gateway.model.identifiers import new_id
from gateway.model.member import Member
from gateway.model.payout import Destination, NewPayout, Payout, PayoutState
from gateway.policy import paying, requests
from gateway.policy.validation import Invalid
from gateway.ports.bank_files import BankFiles
from gateway.runtime.answers import Answer
from gateway.runtime.documents import Unit, read

_SUBMIT: Final = "POST /v1/payouts"
_CHANGE: Final = "POST /v1/payouts/{payout_id}/{verb}"
_S = PayoutState


async def submit_payout(facade: Facade, request: hot.Request) -> Answer:
    """Take a payout: it is sent at once, or held until somebody has said yes."""
    asked = await taking.read(facade, request, _SUBMIT)
    tenant = asked.tenant
    new = requests.read_payout(
        asked.body,
        currencies=tenant.settings.currencies,
        destinations={name: one.port.destinations for name, one in tenant.payers.items()},
    )
    payout_id, now = new_id(), datetime.now(UTC)
    bank = tenant.banks.get(new.provider)

    async def begin(unit: Unit) -> Answer:
        await wallets.check_payout(unit, tenant, new)
        payout = paying.of_request(
            await _resolved(unit, new),
            tenant.settings.payouts,
            payout_id=payout_id,
            client=asked.key.client,
            at=now.isoformat(),
            in_files=bank is not None,
        )
        if bank is not None:
            _check_transfer(bank.port, payout, now)
        told = [paying.event(payout, "created")]
        await unit.insert("payout", payout.payout_id, payout.state.value, payout, told)
        await unit.refer(paying.references(payout))
        await _send(asked, unit, payout)
        return _shown(payout, status=201)

    return await taking.take(facade, asked, business_id=payout_id, begin=begin)


async def approve_payout(facade: Facade, request: hot.Request) -> Answer:
    """Agree to a payout that somebody else has asked for."""
    asked, payout_id = await _asked(facade, request, "approve")
    requests.read_nothing(asked.body)

    async def begin(unit: Unit) -> Answer:
        payout = await lock(unit, kind="payout", key=payout_id, returns=Payout)
        if payout.state is not _S.AWAITING_APPROVAL:
            raise wrong_state("payout", payout.state.value)
        if payout.requested_by == asked.key.client:
            raise Rejected("Whoever asked for it cannot approve it.", code="same_client")
        await _account_of(unit, payout.destination, payout.provider)
        agree = paying.released if payout.submitted_at else paying.approved
        changed = agree(payout, client=asked.key.client)
        await unit.save("payout", payout_id, changed.state.value, changed)
        await _send(asked, unit, changed)
        return _shown(changed)

    return await taking.take(facade, asked, business_id=payout_id, begin=begin)


async def verify_payee(facade: Facade, request: hot.Request) -> Answer:
    """Take what the payee's bank said of the name, and decide by the tenant's settings.

    Of a payout in a file the bank says so itself, in its own file or on a screen.
    """
    asked, payout_id = await _asked(facade, request, "verification")
    verification = requests.read_verification(asked.body)

    async def begin(unit: Unit) -> Answer:
        payout = await lock(unit, kind="payout", key=payout_id, returns=Payout)
        if not paying.may_withdraw(payout) and payout.state is not _S.AWAITING_VERIFICATION:
            raise wrong_state("payout", payout.state.value)
        decide = paying.checked if payout.submitted_at else paying.verified
        changed, told = decide(payout, verification, asked.tenant.settings.payouts)
        await unit.save("payout", payout_id, changed.state.value, changed, told)
        await _send(asked, unit, changed)
        return _shown(changed)

    return await taking.take(facade, asked, business_id=payout_id, begin=begin)


async def cancel_payout(facade: Facade, request: hot.Request) -> Answer:
    """Give a payout up: at once where nobody has it, by asking the provider where it is sent.

    What stands in a file only the bank can stop; somebody says here that it has.
    """
    asked, payout_id = await _asked(facade, request, "cancel")
    wish = requests.read_cancellation(asked.body)

    async def begin(unit: Unit) -> Answer:
        payout = await lock(unit, kind="payout", key=payout_id, returns=Payout)
        in_files = payout.provider in asked.tenant.banks
        if paying.may_cancel(payout, in_files=in_files, withdrawn=wish.withdrawn):
            changed, told = paying.cancelled(payout)
            await unit.save("payout", payout_id, changed.state.value, changed, told)
            await send_payout.wake(unit.connection, changed)
            return _shown(changed)
        if paying.may_withdraw(payout):
            message = "It is in a file for the bank: have the bank withdraw it, and say so then."
            raise Rejected(message, code="wrong_state")
        if payout.state is not _S.SENT:
            raise wrong_state("payout", payout.state.value)
        attempt = f"{payout_id}:{new_id()}"
        await asked.start(unit, send_payout.CANCEL, send_payout.QUEUE, attempt, subject=payout_id)
        return _shown(payout, status=202)

    return await taking.take(facade, asked, business_id=payout_id, begin=begin)


@get("/v1/payouts/{payout_id:str}")
async def get_payout(
    request: Request[Any, Any, Any],
    payout_id: FromPath[str],
    facade: NamedDependency[Facade],
) -> Response[bytes]:
    """Show a payout as it stands now; of the account number only the end."""
    caller = facade.caller(request)
    payout = await find(facade, caller.tenant, kind="payout", key=payout_id, returns=Payout)
    return shown(paying.shown(payout))


@get("/v1/payout-batches/{batch_id:str}")
async def get_payout_batch(
    request: Request[Any, Any, Any],
    batch_id: FromPath[str],
    facade: NamedDependency[Facade],
) -> Response[bytes]:
    """Count and sum the payouts that a front-end put into one batch."""
    caller = facade.caller(request)
    async with facade.database.connection() as connection:
        found = await connection.execute(
            "select d.body::text from headrace.reference r join headrace.document d"
            " on d.tenant = r.tenant and d.kind = 'payout' and d.id = r.entity_id"
            " where r.tenant = %s and r.system = %s and r.external_id = %s"
            " and r.entity = 'PAYOUT_BATCH' order by d.id",
            (caller.tenant, paying.FRONT_END, batch_id),
        )
        payouts = [codec.decode(body, Payout) for (body,) in await found.fetchall()]
    if not payouts:
        raise Rejected("There is no payout of this batch.", code="not_found")
    return shown(paying.batch(batch_id, payouts))


def _check_transfer(bank: BankFiles, payout: Payout, now: datetime) -> None:
    """Look at all that the file will be refused for.

    Raises:
        Invalid: The bank would not take it.
    """
    try:
        bank.payout(payout, at=now)
    except Rejected as error:
        raise Invalid((requests.transfer_error(error),)) from error


async def _resolved(unit: Unit, new: NewPayout) -> NewPayout:
    """The payout with the account of the member that it goes to."""
    where = new.destination
    if not where.member_id:
        return new
    account = await _account_of(unit, where, new.provider)
    destination = msgspec.structs.replace(where, account=account)
    return msgspec.structs.replace(new, destination=destination)


async def _account_of(unit: Unit, where: Destination, provider: str) -> str:
    """The account of the member that is meant; that of nobody's is as it was sent."""
    if not where.member_id:
        return where.account
    member = await read(unit.connection, unit.tenant, "member", where.member_id, Member)
    return requests.account_of(member, provider, "/destination/member_id")


async def _asked(facade: Facade, request: hot.Request, verb: str) -> tuple[Asked, str]:
    payout_id = request.parameter("payout_id")
    operation = _CHANGE.format(payout_id=payout_id, verb=verb)
    return await taking.read(facade, request, operation), payout_id


async def _send(asked: Asked, unit: Unit, payout: Payout) -> None:
    """Start the flow that sends it, if nobody has to agree any more."""
    if payout.state is _S.PENDING:
        await asked.start(unit, send_payout.KIND, send_payout.QUEUE, payout.payout_id)


def _shown(payout: Payout, *, status: int = 200) -> Answer:
    return made(paying.answered(payout), f"/v1/payouts/{payout.payout_id}", status=status)
