"""The routes about wallets as front-ends see them."""

from typing import Final

from gateway.api.route import Route, Success
from gateway.api.wallets import WalletEntries
from gateway.model.wallet import Wallet

_PROBLEMS: Final = ("unauthorized", "not_found", "unavailable")

WALLET_ROUTES: Final = (
    Route(
        method="GET",
        path="/v1/members/{member_id}/wallet",
        operation_id="getWallet",
        tag="members",
        summary="Show what a member has by the ledger here, in each currency.",
        success={200: Success(description="The wallet.", body=Wallet, headers=("Cache-Control",))},
        problems=_PROBLEMS,
        secured=True,
    ),
    Route(
        method="GET",
        path="/v1/members/{member_id}/wallet/entries",
        operation_id="listWalletEntries",
        tag="members",
        summary="List how a wallet came to what it is, the newest first.",
        asks=("limit", "cursor"),
        success={
            200: Success(description="A page.", body=WalletEntries, headers=("Cache-Control",))
        },
        problems=(*_PROBLEMS, "invalid"),
        secured=True,
    ),
)
