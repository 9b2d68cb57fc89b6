"""Connect in the simulated Stripe: payouts of, and transfers to, the accounts of a platform.

Source: docs.stripe.com/connect/authentication, /api/payouts and /api/transfers, OpenAPI document of
2023-08-16, read 2026-11.
"""

from collections import Counter
from collections.abc import Callable
from copy import deepcopy
from typing import Any, Final, TypeAlias

from adapters.stripe import simulator_forms as forms
from adapters.stripe import simulator_objects as objects

Json: TypeAlias = dict[str, Any]
Later: TypeAlias = Callable[[float, Callable[[float], None]], None]

_CREATE: Final = {
    "amount": "int",
    "currency": "text",
    "description": "text",
    "destination": "text",
    "metadata": "map",
    "method": "instant|standard",
    "source_type": "bank_account|card|fpx",
    "statement_descriptor": "text",
    "expand": "list",
}
_MOVE: Final = {
    "amount": "int",
    "currency": "text",
    "destination": "text",
    "description": "text",
    "metadata": "map",
    "source_transaction": "text",
    "source_type": "bank_account|card|fpx",
    "transfer_group": "text",
    "expand": "list",
}
_REVERSE: Final = {
    "amount": "int",
    "description": "text",
    "metadata": "map",
    "refund_application_fee": "bool",
    "expand": "list",
}
_MOVED: Final = {**forms.PAGE, "destination": "text", "transfer_group": "text"}
_LIST: Final = {**forms.PAGE, "arrival_date": "map", "destination": "text", "status": "text"}


class Connect:
    """The connected accounts with what was paid out of them.

    Attributes:
        acting: In whose name a request is made; empty for the platform's own.

    Args:
        emit: Reports a thing: kind of event, thing, time.
        later: Does something at a time.
        effects: How often money left, by our ids.
        charges: All that were collected or held, by Stripe's ids.
    """

    def __init__(
        self,
        emit: Callable[[str, Json, float], None],
        later: Later,
        effects: dict[str, Counter[str]],
        charges: dict[str, Json],
    ) -> None:
        self.acting = ""
        self._emit = emit
        self._later = later
        self._effects = effects
        self._charges = charges
        self._payouts: dict[str, Json] = {}
        self._transfers: dict[str, Json] = {}
        self.routes: list[tuple[str, str, dict[str, str], Callable[..., Json]]] = [
            ("POST", "/v1/payouts", _CREATE, self._create),
            ("GET", "/v1/payouts", _LIST, self._list),
            ("GET", "/v1/payouts/{}", forms.ONE, self._read),
            ("POST", "/v1/payouts/{}/cancel", forms.ONE, self._cancel),
            ("POST", "/v1/transfers", _MOVE, self._move),
            ("GET", "/v1/transfers", _MOVED, self._list_moved),
            ("GET", "/v1/transfers/{}", forms.ONE, self._read_moved),
            ("POST", "/v1/transfers/{}/reversals", _REVERSE, self._reverse),
            ("GET", "/v1/transfers/{}/reversals", forms.PAGE, self._list_reversals),
        ]

    def act(self, account: str) -> None:
        """The request is made in the name of this account.

        ``acct_unknown`` is an account of somebody else.
        """
        if account == "acct_unknown" or (account and not account.startswith("acct_")):
            message = f"The provided key does not have access to account '{account}'."
            raise forms.Refusal(403, {"code": "account_invalid", "message": message})
        self.acting = account

    def fail_payout(self, payout_id: str, code: str, *, now: float) -> None:
        """The bank sends a payout back, even days after it was paid."""
        payout = self._payouts[payout_id]
        payout.update(status="failed", failure_code=code, failure_message="It came back.")
        self._tell("payout.failed", payout, now)

    def _create(self, params: Json, now: float) -> Json:
        forms.require(params, "amount", "currency")
        forms.check_amount(params["amount"], params["currency"])
        if params["currency"] in {"huf", "twd"} and params["amount"] % 100:
            raise forms.Refusal(400, {"param": "amount", "message": "Must be divisible by 100."})
        payout = {
            "id": objects.new_id("po"),
            "object": "payout",
            "amount": params["amount"],
            "arrival_date": int(now) + 172_800,
            "automatic": False,
            "balance_transaction": objects.new_id("txn"),
            "created": int(now),
            "currency": params["currency"],
            "description": params.get("description"),
            "destination": objects.new_id("ba"),
            "failure_balance_transaction": None,
            "failure_code": None,
            "failure_message": None,
            "livemode": False,
            "metadata": params.get("metadata", {}),
            "method": params.get("method", "standard"),
            "original_payout": None,
            "reconciliation_status": "not_applicable",
            "reversed_by": None,
            "source_type": "card",
            "statement_descriptor": params.get("statement_descriptor"),
            "status": "pending",
            "type": "bank_account",
            "_account": self.acting,
        }
        self._payouts[payout["id"]] = payout
        self._effects["payout"][payout["metadata"].get("payout_id", payout["id"])] += 1
        self._tell("payout.created", payout, now)
        self._later(now, lambda at: self._arrive(payout, at))
        return _visible(payout)

    def _arrive(self, payout: Json, now: float) -> None:
        if payout["status"] == "pending":
            payout["status"] = "paid"
            self._tell("payout.paid", payout, now)

    def _cancel(self, payout_id: str, _params: Json, now: float) -> Json:
        payout = self._known(payout_id)
        if payout["status"] != "pending":
            message = f"Payouts can only be canceled while pending, not {payout['status']}."
            raise forms.Refusal(400, {"message": message}, stored=True)
        payout["status"] = "canceled"
        self._effects["payout"][payout["metadata"].get("payout_id", payout["id"])] -= 1
        self._tell("payout.canceled", payout, now)
        return _visible(payout)

    def _read(self, payout_id: str, _params: Json, _now: float) -> Json:
        return _visible(self._known(payout_id))

    def _list(self, params: Json, _now: float) -> Json:
        hits = [one for one in reversed(self._payouts.values()) if one["_account"] == self.acting]
        page = forms.page_of(hits, params, "/v1/payouts")
        return {**page, "data": [_visible(one) for one in page["data"]]}

    def _known(self, payout_id: str) -> Json:
        payout = self._payouts.get(payout_id)
        if payout is None or payout["_account"] != self.acting:
            raise forms.missing("payout", payout_id, status=404)
        return payout

    # Transfers, from the platform only.

    def _move(self, params: Json, now: float) -> Json:
        forms.require(params, "amount", "currency", "destination")
        forms.check_amount(params["amount"], params["currency"])
        if params["destination"] == "acct_unknown" or params["destination"][:5] != "acct_":
            raise forms.missing("destination", params["destination"])
        if "source_transaction" in params:
            self._check_source(params)
        transfer_id = objects.new_id("tr")
        transfer = {
            "id": transfer_id,
            "object": "transfer",
            "amount": params["amount"],
            "amount_reversed": 0,
            "balance_transaction": objects.new_id("txn"),
            "created": int(now),
            "currency": params["currency"],
            "description": params.get("description"),
            "destination": params["destination"],
            "destination_payment": objects.new_id("py"),
            "livemode": False,
            "metadata": params.get("metadata", {}),
            "reversals": {
                "object": "list",
                "data": [],
                "has_more": False,
                "url": f"/v1/transfers/{transfer_id}/reversals",
            },
            "reversed": False,
            "source_transaction": params.get("source_transaction"),
            "source_type": "card",
            "transfer_group": params.get("transfer_group"),
        }
        self._transfers[transfer_id] = transfer
        self._effects["transfer"][transfer["metadata"].get("transfer_id", transfer_id)] += 1
        self._tell("transfer.created", transfer, now)
        return _visible(transfer)

    def _check_source(self, params: Json) -> None:
        """Refuse to move more of a charge than was collected, or that of another group.

        Source: docs.stripe.com/connect/separate-charges-and-transfers, read 2026-11.
        """
        charge = self._charges.get(params["source_transaction"])
        if charge is None:
            raise forms.missing("source_transaction", params["source_transaction"])
        moved = sum(
            one["amount"]
            for one in self._transfers.values()
            if one["source_transaction"] == charge["id"]
        )
        group = params.get("transfer_group")
        if not charge["captured"] or charge["currency"] != params["currency"]:
            message = "The source_transaction is not a charge that was paid in this currency."
        elif moved + params["amount"] > charge["amount_captured"]:
            message = "Transfers using this transaction as a source must not exceed its amount."
        elif group is not None and charge["transfer_group"] not in {None, group}:
            message = "The transfer_group has to be that of the source_transaction."
        else:
            return
        error = {"param": "source_transaction", "message": message}
        raise forms.Refusal(400, error, stored=True)

    def _read_moved(self, transfer_id: str, _params: Json, _now: float) -> Json:
        return _visible(self._moved(transfer_id))

    def _list_moved(self, params: Json, _now: float) -> Json:
        wanted = {
            name: params[name] for name in ("destination", "transfer_group") if name in params
        }
        hits = [t for t in reversed(self._transfers.values()) if wanted.items() <= t.items()]
        page = forms.page_of(hits, params, "/v1/transfers")
        return {**page, "data": [_visible(one) for one in page["data"]]}

    def _reverse(self, transfer_id: str, params: Json, now: float) -> Json:
        transfer = self._moved(transfer_id)
        left = transfer["amount"] - transfer["amount_reversed"]
        amount = params.get("amount", left)
        forms.check_unit(amount, transfer["currency"], "amount")
        if amount > left:
            message = "Reversal amount is greater than the unreversed amount of the transfer."
            raise forms.Refusal(400, {"param": "amount", "message": message}, stored=True)
        reversal = {
            "id": objects.new_id("trr"),
            "object": "transfer_reversal",
            "amount": amount,
            "balance_transaction": objects.new_id("txn"),
            "created": int(now),
            "currency": transfer["currency"],
            "destination_payment_refund": None,
            "metadata": params.get("metadata", {}),
            "source_refund": None,
            "transfer": transfer_id,
        }
        transfer["reversals"]["data"].insert(0, reversal)
        transfer["amount_reversed"] += amount
        transfer["reversed"] = transfer["amount_reversed"] == transfer["amount"]
        self._effects["reversal"][reversal["metadata"].get("reversal_id", reversal["id"])] += 1
        self._tell("transfer.reversed", transfer, now)
        return _visible(reversal)

    def _list_reversals(self, transfer_id: str, params: Json, _now: float) -> Json:
        hits = self._moved(transfer_id)["reversals"]["data"]
        return deepcopy(forms.page_of(hits, params, f"/v1/transfers/{transfer_id}/reversals"))

    def _moved(self, transfer_id: str) -> Json:
        if transfer_id not in self._transfers:
            raise forms.missing("transfer", transfer_id, status=404)
        return self._transfers[transfer_id]

    def _tell(self, kind: str, thing: Json, now: float) -> None:
        self._emit(kind, _visible(thing), now)


def _visible(thing: Json) -> Json:
    return deepcopy({name: value for name, value in thing.items() if not name.startswith("_")})
