"""Disputes of the simulated Adyen: a payer's issuer claims, we accept or defend.

Written from DisputeService v30 and docs.adyen.com/risk-management/disputes-api, read 2026-11. What
Adyen answers to what cannot be done is nowhere documented: here it is no success, with a message.
"""

import base64
import binascii
from collections import Counter
from collections.abc import Callable
from typing import Any, Final, TypeAlias

import httpx

from adapters.adyen import simulator_checks as checks
from adapters.adyen.simulator_methods import Refusal

Json: TypeAlias = dict[str, Any]

PREFIX: Final = "/ca/services/DisputeService/v30"
_NAMED: Final = {"merchantAccountCode": str, "disputePspReference": str}
_DOCUMENTS: Final = [{"content": str, "contentType": str, "defenseDocumentTypeCode": str}]
_KINDS: Final = {"application/pdf": b"%PDF-", "image/jpeg": b"\xff\xd8", "image/tiff": b"II*"}
_OPENED: Final = frozenset({"NOTIFICATION_OF_CHARGEBACK", "CHARGEBACK"})
# Reason, and the kinds of document with how much they are needed.
_REASONS: Final = {
    "SupplyDefenseMaterial": {"DefenseMaterial": "Required"},
    "GoodsNotReturned": {"GoodsNotReturned": "Required", "TIDorInvoice": "Required"},
    "GoodsRepairedOrReplaced": {"GoodsRepairedOrReplaced": "OneOrMore", "TIDorInvoice": "Optional"},
}


class Disputes:
    """The disputes of one merchant account.

    Attributes:
        effects: How often a claim was accepted or contested, by Adyen's reference of it.

    Args:
        report: Notifies: the event code, the claim's payment, its value, when, and the claim.
    """

    def __init__(self, account: str, report: Callable[[str, str, int, float, str], None]) -> None:
        self._account = account
        self._report = report
        self._claims: dict[str, Json] = {}
        self.effects: dict[str, Counter[str]] = {"acceptance": Counter(), "evidence": Counter()}
        self._routes: dict[str, tuple[dict[str, Any], Callable[..., Json]]] = {
            "/acceptDispute": (_NAMED, self._accept),
            "/defendDispute": (_NAMED | {"defenseReasonCode": str}, self._defend),
            "/supplyDefenseDocument": (_NAMED | {"defenseDocuments": _DOCUMENTS}, self._supply),
            "/retrieveApplicableDefenseReasons": (_NAMED, self._reasons),
        }

    def opened(self, code: str, reference: str, value: int, claim: str) -> None:
        """A claim, as it was notified."""
        if code in _OPENED:
            known = {"state": "open", "supplied": set(), "payment": reference, "value": value}
            self._claims.setdefault(claim, known)

    def answer(self, request: httpx.Request, now: float) -> Json:
        """The answer to one request; nothing of it is repeated by a key."""
        path = request.url.path.removeprefix(PREFIX)
        if path not in self._routes or request.method != "POST":
            raise Refusal(404, "000", "HTTP Status Response - Not Found", "internal")
        allowed, verb = self._routes[path]
        body = checks.read(request.read(), request.headers.get("content-type", ""), allowed)
        if body.get("merchantAccountCode") != self._account:
            raise Refusal(403, "901", "Invalid Merchant Account", "security")
        if not body.get("disputePspReference"):
            raise Refusal(422, "702", "Required field 'disputePspReference' is not provided.")
        claim = self._claims.get(body["disputePspReference"])
        if claim is None:
            return _failed("The dispute was not found.")
        return verb(body, claim, now)

    def _accept(self, body: Json, claim: Json, now: float) -> Json:
        if claim["state"] != "open":
            return _failed("The dispute cannot be accepted any more.")
        ref = body["disputePspReference"]
        claim["state"] = "accepted"
        self.effects["acceptance"][ref] += 1
        self._report("DISPUTE_DEFENSE_PERIOD_ENDED", claim["payment"], claim["value"], now, ref)
        return _succeeded()

    def _defend(self, body: Json, claim: Json, now: float) -> Json:
        known = {one["defenseReasonCode"]: one for one in _reasons(claim)}
        reason = known.get(body.get("defenseReasonCode", ""))
        if claim["state"] != "open" or reason is None or not reason["satisfied"]:
            return _failed("The dispute cannot be defended so.")
        ref = body["disputePspReference"]
        claim["state"] = "defended"
        self.effects["evidence"][ref] += 1
        self._report("INFORMATION_SUPPLIED", claim["payment"], claim["value"], now, ref)
        return _succeeded()

    def _supply(self, body: Json, claim: Json, _now: float) -> Json:
        kinds = {kind for documents in _REASONS.values() for kind in documents}
        for one in body.get("defenseDocuments", []):
            begins = _KINDS.get(one.get("contentType", ""))
            try:
                content = base64.b64decode(one.get("content", ""), validate=True)
            except binascii.Error:
                return _failed("The document cannot be read.")
            wanted = one.get("defenseDocumentTypeCode") in kinds
            if begins is None or not content.startswith(begins) or not wanted:
                return _failed("The document is not of a kind that is taken.")
            claim["supplied"].add(one["defenseDocumentTypeCode"])
        return _succeeded() if body.get("defenseDocuments") else _failed("There is no document.")

    def _reasons(self, _body: Json, claim: Json, _now: float) -> Json:
        found = _reasons(claim) if claim["state"] == "open" else []
        return {"defenseReasons": found, **_succeeded()}


def _reasons(claim: Json) -> list[Json]:
    return [
        {
            "defenseReasonCode": code,
            "satisfied": all(
                kind in claim["supplied"] or level == "Optional"
                for kind, level in documents.items()
            ),
            "defenseDocumentTypes": [
                {
                    "defenseDocumentTypeCode": kind,
                    "requirementLevel": level,
                    "available": kind in claim["supplied"],
                }
                for kind, level in documents.items()
            ],
        }
        for code, documents in _REASONS.items()
    ]


def _succeeded() -> Json:
    return {"disputeServiceResult": {"success": True}}


def _failed(message: str) -> Json:
    return {"disputeServiceResult": {"success": False, "errorMessage": message}}
