"""Wallets: what a member has by the ledger here, and what may be taken out of it."""

from typing import Any, Final

import msgspec
from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from gateway.api.facade import Facade
from gateway.api.listing import Links, links, paged
from gateway.api.showing import find, shown
from gateway.errors import Rejected
from gateway.model.member import Member
from gateway.model.money import Money
from gateway.model.payout import NewPayout
from gateway.model.split import PLATFORM
from gateway.model.transfer import NewTransfer
from gateway.model.wallet import WALLETS, WalletEntry
from gateway.policy import membership
from gateway.policy.validation import FieldError, Invalid
from gateway.runtime import ledger
from gateway.runtime.documents import Unit
from gateway.runtime.hub import Tenant

_OFF: Final = "Wallets are off; ask for them in the settings of the tenant."
_OWN: Final = (
    "This system pays out of the platform's own money, which wallets may not do here; send another,"
    " or ask for wallets.own_money in the settings of the tenant."
)


class WalletEntries(msgspec.Struct, frozen=True, kw_only=True):
    """A page of the changes of a wallet, the newest first."""

    items: tuple[WalletEntry, ...]
    links: Links


@get("/v1/members/{member_id:str}/wallet")
async def get_wallet(
    request: Request[Any, Any, Any], member_id: FromPath[str], facade: NamedDependency[Facade]
) -> Response[bytes]:
    """Show what a member has, in each currency."""
    tenant = facade.caller(request).tenant
    await find(facade, tenant, kind="member", key=member_id, returns=Member)
    async with facade.database.connection() as connection:
        return shown(await ledger.wallet(connection, tenant, member_id))


@get("/v1/members/{member_id:str}/wallet/entries")
async def list_wallet_entries(
    request: Request[Any, Any, Any], member_id: FromPath[str], facade: NamedDependency[Facade]
) -> Response[bytes]:
    """List how the wallet of a member came to what it is, the newest first."""
    asked = paged(request, filters=())
    before = _number(asked.cursor)
    tenant = facade.caller(request).tenant
    await find(facade, tenant, kind="member", key=member_id, returns=Member)
    async with facade.database.connection() as connection:
        found = await ledger.entries(
            connection, tenant, member_id, before=before, limit=asked.limit + 1
        )
    items = tuple(found[: asked.limit])
    cursor = items[-1].entry_id if len(found) > asked.limit else ""
    return shown(WalletEntries(items=items, links=links(request, cursor)))


def movers(tenant: Tenant) -> dict[str, bool]:
    """Who moves money between members, and whether it can come from one: systems, and wallets."""
    systems = {name: one.port.between_members for name, one in tenant.movers.items()}
    return {**systems, WALLETS: True} if tenant.settings.wallets.enabled else systems


async def check_transfer(unit: Unit, new: NewTransfer) -> None:
    """Refuse a transfer between wallets of which one is not there, or has too little.

    Raises:
        Invalid: With the field that is wrong.
    """
    # Always in the same order: two transfers the other way round would wait for each other.
    parties = (("/source", new.source), ("/destination", new.destination))
    for pointer, party in sorted(parties, key=lambda one: one[1]):
        if party != PLATFORM:
            await _lock(unit, party, pointer)
    await check_debit(unit, new.source, new.amount, "/source")


async def check_payout(unit: Unit, tenant: Tenant, new: NewPayout) -> None:
    """Refuse a payout out of a wallet that may not be, or has too little.

    Raises:
        Invalid: With the field that is wrong.
    """
    if not new.wallet:
        return
    settings = tenant.settings.wallets
    if not settings.enabled:
        raise Invalid((FieldError("/wallet", "wallets_off", _OFF),))
    if new.provider in tenant.banks and not settings.own_money:
        raise Invalid((FieldError("/provider", "own_money_off", _OWN),))
    await check_debit(unit, new.wallet, new.amount, "/wallet")


async def check_debit(unit: Unit, member_id: str, amount: Money, pointer: str) -> None:
    """Refuse to take out of a wallet more than is available; nobody else takes meanwhile.

    Args:
        pointer: Where the request names the member.

    Raises:
        Invalid: There is too little, or no such member.
    """
    if member_id == PLATFORM:
        return
    await _lock(unit, member_id, pointer)
    wallet = await ledger.wallet(unit.connection, unit.tenant, member_id)
    here = [one.available for one in wallet.balances if one.available.currency == amount.currency]
    available = max(here[0].minor if here else 0, 0)
    if amount.minor > available:
        detail = f"Send at most {Money(available, amount.currency).amount}: no more is available."
        raise Invalid((FieldError("/amount/amount", "above_available", detail),))


async def _lock(unit: Unit, member_id: str, pointer: str) -> None:
    member = await unit.load("member", member_id, Member)
    try:
        membership.account_of(member, WALLETS)
    except Rejected as error:
        raise Invalid((FieldError(pointer, error.code, error.message),)) from error


def _number(cursor: str) -> int:
    if not cursor:
        return 0
    if not cursor.isascii() or not cursor.isdecimal() or len(cursor) > len(str(2**62)):
        raise Invalid((FieldError("?cursor", "wrong_cursor", "Send what links.next has."),))
    return int(cursor)
