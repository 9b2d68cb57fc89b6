"""Adyen in memory: payments, modifications, idempotency, signed notifications.

Written from Adyen's documentation and not from the adapter: nothing is imported from what talks to
Adyen, so that one misreading cannot hide the other.

Source: Checkout v71 of 2026-07-01; docs.adyen.com/online-payments, /development-resources/
api-idempotency and /testing, read 2026-11.
"""

import hmac
import json
import re
import uuid
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import formatdate
from typing import Any, Final, TypeAlias

import httpx
import msgspec

from adapters.adyen import simulator_checks as checks
from adapters.adyen.simulator_disputes import PREFIX, Disputes
from adapters.adyen.simulator_methods import Refusal
from adapters.adyen.simulator_returns import REASONS, Returned, decided
from adapters.adyen.simulator_webhooks import Webhooks

Json: TypeAlias = dict[str, Any]

_KEY_LIFE_S: Final = 7 * 86_400
_VERSION: Final = "/v71"
_SHOPPER: Final = "shopper-1"
# Stored instruments of the shopper: type, result and refusalReasonCode.
# Source: docs.adyen.com/development-resources/refusal-reasons, read 2026-11.
_STORED: Final = {
    "M5N7TQ4TG5PFWR50": ("scheme", "Authorised", ""),
    "REFUSED000000002": ("scheme", "Refused", "2"),
    "REFUSED000000006": ("scheme", "Refused", "6"),
    "REFUSED000000012": ("scheme", "Refused", "12"),
    "REFUSED000000038": ("scheme", "Refused", "38"),
    "CANCELLED0000016": ("scheme", "Cancelled", "16"),
    "ERROR00000000004": ("scheme", "Error", "4"),
    "LIMITED000005000": ("scheme", "Authorised", ""),
    "CHALLENGED000001": ("scheme", "RedirectShopper", ""),
    "NETWORKTOKEN0001": ("networkToken", "Authorised", ""),
    "RATEPAYDEBIT0001": ("ratepay_directdebit", "Authorised", ""),
    "BACSDEBIT0000001": ("directdebit_GB", "Received", ""),
    "BACSDEBIT0000002": ("directdebit_GB", "Received", "2"),
}
# Invented: a stored card of which no more is authorised than this.
_MOST_BY_TOKEN: Final = {"LIMITED000005000": 5_000}
_RESULTS: Final = {
    "redirect": "RedirectShopper",
    "qrCode": "Pending",
    "await": "Pending",
    "voucher": "PresentToShopper",
    "bankTransfer": "Received",
}
# Status that is asked for: status, code, message and type as Adyen writes them.
_REFUSALS: Final = {
    400: (400, "702", "Unexpected input", "validation"),
    401: (401, "000", "HTTP Status Response - Unauthorized", "security"),
    403: (403, "901", "Invalid Merchant Account", "security"),
    409: (409, "704", "request already processed or in progress", "validation"),
    423: (422, "704", "request already processed or in progress", "validation"),
    429: (429, "706", "Too many requests", "security"),
    503: (503, "703", "required resource temporarily unavailable", "internal"),
}
_TRANSIENT: Final = {409, 423, 503}


class _Kept(msgspec.Struct, frozen=True):
    """An answer that its key repeats."""

    status: int
    body: bytes
    at: float


class AdyenSimulator:
    """One merchant account.

    Args:
        webhook_url: Where deliveries go; empty for nowhere, the items are kept all the same.
        webhook_key: HMAC key of the endpoint, in hexadecimal.
        api_key: The only key that is let in.
        merchant_account: The only account there is.
        plan: Fields of ``WebhookPlan``.
    """

    def __init__(
        self,
        *,
        webhook_url: str = "",
        webhook_key: str = "5e" * 32,
        api_key: str = "AQE_simulated",
        merchant_account: str = "SimulatedECOM",
        **plan: Any,
    ) -> None:
        self._webhooks = Webhooks(webhook_url, webhook_key, merchant_account)
        self._api_key = api_key
        self._account = merchant_account
        self._payments: dict[str, Json] = {}
        self._kept: dict[str, _Kept] = {}
        self._settling: list[tuple[float, Callable[[float], None]]] = []
        self._effects: dict[str, Counter[str]] = {
            "charge": Counter(),
            "authorisation": Counter(),
            "refund": Counter(),
            "increment": Counter(),
        }
        self._disputes = Disputes(merchant_account, self._notify_claim)
        self._effects |= self._disputes.effects
        self._returned = Returned(self._decide, self._payments)
        self.configure(**plan)
        self._routes: list[tuple[str, dict[str, Any], int, Callable[..., Json]]] = [
            ("/payments", checks.PAYMENT, 200, self._pay),
            ("/payments/details", checks.DETAILS, 200, self._returned.details),
            ("/paymentMethods", checks.METHODS, 200, self._methods),
            ("/cancels", checks.ABANDON, 201, self._abandon),
            ("/payments/([^/]+)/captures", checks.CAPTURE, 201, self._capture),
            ("/payments/([^/]+)/cancels", checks.CANCEL, 201, self._cancel),
            ("/payments/([^/]+)/amountUpdates", checks.UPDATE, 201, self._update),
            ("/payments/([^/]+)/refunds", checks.REFUND, 201, self._refund),
        ]

    # What the world outside calls.

    def configure(self, **plan: Any) -> None:
        """Change the plan from here on; fields that are not named stay."""
        self._webhooks.configure(**plan)

    def handle(self, request: httpx.Request, *, now: float) -> httpx.Response:
        """Answer as Adyen does."""
        self._settle(now)
        key = request.headers.get("idempotency-key", "")
        headers = {"Date": formatdate(now, usegmt=True)}
        if key:
            headers["Idempotency-Key"] = key
        try:
            self._admit(request, key)
            status, content = self._answer(request, key, now)
        except Refusal as refusal:
            return _refused(request, refusal, headers)
        headers["Content-Type"] = "application/json"
        return httpx.Response(status, headers=headers, content=content, request=request)

    def refuse(self, request: httpx.Request, status: int) -> httpx.Response:
        """The error with this status; nothing happens. 423 is a request still in progress."""
        return _refused(request, _refusal(status), {})

    def due(self, *, now: float) -> list[httpx.Request]:
        """The deliveries whose time has come; each is handed out once."""
        self._settle(now)
        return self._webhooks.due(now)

    def effects(self) -> dict[str, dict[str, int]]:
        """How often money was taken, reserved and given back, by our references."""
        return {kind: dict(counts) for kind, counts in self._effects.items()}

    def notified(self) -> list[Json]:
        """Everything that was notified, oldest first."""
        return list(self._webhooks.items)

    def complete(self, reference: str, *, succeeds: bool, now: float) -> None:
        """The payer does what was asked, where that alone decides; see ``come_back``."""
        payment = self._asked(reference)
        if payment["method"] == "scheme":
            raise ValueError("a card is charged when the merchant hands over what came back")
        self._decide(payment, "" if succeeds else "2", now)

    def come_back(self, reference: str, *, succeeds: bool, now: float) -> str:
        """The payer comes back from the page: what stands in the return URL as redirectResult.

        Adyen's own pages have decided by then; a card is charged only once it is handed over.
        """
        payment = self._asked(reference)
        if payment["method"] != "scheme":
            self._decide(payment, "" if succeeds else "2", now)
        return self._returned.result_of(payment, succeeds=succeeds)

    def abandon(self, reference: str, *, now: float) -> None:
        """The payer never comes back."""
        payment = self._asked(reference)
        payment["state"] = "closed"
        self._tell("OFFER_CLOSED", payment, _psp(), now)

    def report(self, code: str, reference: str, value: int, *, now: float, of: str = "") -> str:
        """What only Adyen or a bank starts: a dispute, a failed capture or refund.

        Args:
            of: PSP reference of the modification or dispute; a new one unless given.
        """
        payment = self._named(reference)
        of = of or _psp()
        amount = {**payment["amount"], "value": value}
        self._disputes.opened(code, reference, value, of)
        fields: Json = {"amount": amount, "originalReference": payment["psp"]}
        if code in {"CHARGEBACK", "NOTIFICATION_OF_CHARGEBACK"}:
            until = {"chargebackReasonCode": "4853", "defensePeriodEndsAt": _in_a_fortnight(now)}
            fields["additionalData"] = until
        self._tell(code, payment, of, now, **fields)
        return of

    # Who may come in, and which answers are repeated.

    def _admit(self, request: httpx.Request, key: str) -> None:
        given = request.headers.get("x-api-key", "")
        if not hmac.compare_digest(given.encode(), self._api_key.encode()):
            raise _refusal(401)
        if len(key) > 64:  # noqa: PLR2004 - documented length
            raise Refusal(400, "702", "The idempotency key is too long.")

    def _notify_claim(self, code: str, reference: str, value: int, now: float, of: str) -> None:
        self.report(code, reference, value, now=now, of=of)

    def _answer(self, request: httpx.Request, key: str, now: float) -> tuple[int, bytes]:
        if request.url.path.startswith(PREFIX):
            return 200, json.dumps(self._disputes.answer(request, now)).encode()
        verb, allowed, status, ids = self._route(request)
        kept = self._kept.get(key)
        if key and kept and now - kept.at < _KEY_LIFE_S:
            return kept.status, kept.body
        media = request.headers.get("content-type", "")
        body = checks.read(request.read(), media, allowed)
        if verb != self._returned.details and body.get("merchantAccount") != self._account:
            raise _refusal(403)
        content = json.dumps(verb(*ids, body, now), separators=(",", ":")).encode()
        if key:
            self._kept[key] = _Kept(status, content, now)
        return status, content

    def _route(
        self, request: httpx.Request
    ) -> tuple[Callable[..., Json], dict[str, Any], int, tuple[str, ...]]:
        for pattern, allowed, status, verb in self._routes:
            match = re.fullmatch(_VERSION + pattern, request.url.path)
            if match and request.method == "POST":
                return verb, allowed, status, match.groups()
        raise Refusal(404, "000", "HTTP Status Response - Not Found", "internal")

    # Payments.

    def _methods(self, _body: Json, _now: float) -> Json:
        return {"paymentMethods": [{"name": "Cards", "type": "scheme"}]}

    def _pay(self, body: Json, now: float) -> Json:
        asked = checks.check_payment(body)
        method = body["paymentMethod"]
        result, code = _RESULTS.get(asked, "Authorised"), ""
        if "storedPaymentMethodId" in method:
            result, code = self._stored(body)
            asked = "redirect" if result == "RedirectShopper" else ""
        payment = {
            "psp": _psp(),
            "reference": body["reference"],
            "amount": body["amount"],
            "method": method["type"],
            "token": method.get("storedPaymentMethodId", ""),
            "manual": checks.is_manual(body),
            "estimated": checks.is_estimated(body),
            "state": "asked",
            "captured": 0,
            "refunded": 0,
        }
        self._payments[payment["psp"]] = payment
        if asked:
            return _asking(payment, asked, result)
        if result == "Received":
            at = now + self._webhooks.plan.settle_s
            self._settling.append((at, lambda moment: self._decide(payment, code, moment)))
        else:
            self._decide(payment, code, now)
        return decided(payment, result, code)

    def _stored(self, body: Json) -> tuple[str, str]:
        method = body["paymentMethod"]
        kind, result, code = _STORED.get(method["storedPaymentMethodId"], ("", "", ""))
        if body.get("shopperReference") != _SHOPPER or kind != method["type"]:
            raise Refusal(422, "800", "Contract not found")
        if not body.get("recurringProcessingModel") or not body.get("shopperInteraction"):
            raise Refusal(422, "168", "The recurring processing model is missing.")
        if result == "RedirectShopper" and body["shopperInteraction"] == "ContAuth":
            return "Refused", "38"
        return result, code

    def _decide(self, payment: Json, code: str, now: float) -> None:
        payment["state"] = "refused" if code else "authorised"
        if not code and payment["manual"]:
            self._effects["authorisation"][_ours(payment)] += 1
        elif not code:
            payment["captured"] = payment["amount"]["value"]
            self._effects["charge"][_ours(payment)] += 1
        reason = REASONS[code] if code else "012345:1111:03/2030"
        self._tell("AUTHORISATION", payment, payment["psp"], now, success=not code, reason=reason)

    def _asked(self, reference: str) -> Json:
        payment = self._named(reference)
        if payment["state"] != "asked":
            raise ValueError("nothing is asked of this payer")
        return payment

    def _named(self, reference: str) -> Json:
        return next(p for p in self._payments.values() if p["reference"] == reference)

    # Modifications: received at once, decided by a notification.

    def _capture(self, psp: str, body: Json, now: float) -> Json:
        payment, change = self._modified(psp, body)
        amount = body["amount"]
        fits = amount["value"] <= payment["amount"]["value"] and _alike(amount, payment)
        success = payment["state"] == "authorised" and not payment["captured"] and fits
        if success:
            # What is not captured is cancelled, unless captures in parts are switched on.
            payment["captured"] = amount["value"]
            self._effects["charge"][_ours(payment)] += 1
        reason = "" if success else "Insufficient balance on payment"
        self._changed(
            "CAPTURE", payment, change, now, amount=amount, success=success, reason=reason
        )
        return {**change, "amount": amount}

    def _update(self, psp: str, body: Json, now: float) -> Json:
        payment, change = self._modified(psp, body)
        amount, limit = body["amount"], _MOST_BY_TOKEN.get(payment["token"])
        held = payment["state"] == "authorised" and payment["manual"] and not payment["captured"]
        fits = _alike(amount, payment) and (limit is None or amount["value"] <= limit)
        success = held and payment["estimated"] and fits
        if success:
            payment["amount"] = amount
            self._effects["increment"][_ours(payment)] += 1
        reason = "" if success else "Not enough balance"
        self._changed(
            *("AUTHORISATION_ADJUSTMENT", payment, change, now),
            amount=amount,
            success=success,
            reason=reason,
        )
        return {**change, "amount": amount}

    def _cancel(self, psp: str, body: Json, now: float) -> Json:
        payment, change = self._modified(psp, body)
        self._end(payment, "CANCELLATION", change, now)
        return change

    def _abandon(self, body: Json, now: float) -> Json:
        reference = body.get("paymentReference")
        if not reference:
            raise Refusal(422, "130", "Required field 'paymentReference' is not provided.")
        change = {
            "merchantAccount": self._account,
            "paymentReference": reference,
            "pspReference": _psp(),
            "reference": body.get("reference", ""),
            "status": "received",
        }
        found = [p for p in self._payments.values() if p["reference"] == reference]
        if found:
            self._end(found[-1], "TECHNICAL_CANCEL", change, now)
        return change

    def _end(self, payment: Json, code: str, change: Json, now: float) -> None:
        success = payment["state"] == "authorised" and not payment["captured"]
        if success:
            payment["state"] = "cancelled"
        reason = "" if success else "Transaction was not authorised or is captured"
        self._changed(code, payment, change, now, success=success, reason=reason)

    def _refund(self, psp: str, body: Json, now: float) -> Json:
        payment, change = self._modified(psp, body)
        amount = body["amount"]
        left = payment["captured"] - payment["refunded"]
        success = _alike(amount, payment) and amount["value"] <= left
        if success:
            payment["refunded"] += amount["value"]
            self._effects["refund"][change["reference"]] += 1
        reason = "" if success else "Insufficient balance on payment"
        # A refund brings its own reference back.
        named = {"merchantReference": body["reference"]} if body.get("reference") else {}
        self._changed(
            "REFUND", payment, change, now, amount=amount, success=success, reason=reason, **named
        )
        return {**change, "amount": amount}

    def _modified(self, psp: str, body: Json) -> tuple[Json, Json]:
        if "amount" in body:
            checks.check_amount(body)
            checks.check_splits(body)
        checks.check_reference(body)
        if psp not in self._payments:
            raise Refusal(422, "167", "Original pspReference required for this operation")
        change = {
            "merchantAccount": self._account,
            "paymentPspReference": psp,
            "pspReference": _psp(),
            "reference": body.get("reference", ""),
            "status": "received",
        }
        return self._payments[psp], change

    # Notifications.

    def _changed(self, code: str, payment: Json, change: Json, now: float, **fields: Any) -> None:
        psp = change["pspReference"]
        self._tell(code, payment, psp, now, originalReference=payment["psp"], **fields)

    def _tell(
        self, code: str, payment: Json, psp: str, now: float, *, success: bool = True, **fields: Any
    ) -> None:
        item = {
            "amount": payment["amount"],
            "merchantReference": payment["reference"],
            "paymentMethod": payment["method"],
            "pspReference": psp,
            **fields,
        }
        self._webhooks.notify(code, item, now, success=success)

    def _settle(self, now: float) -> None:
        ready = [one for one in self._settling if one[0] <= now]
        self._settling = [one for one in self._settling if one[0] > now]
        for at, finish in sorted(ready, key=lambda one: one[0]):
            finish(at)


def _in_a_fortnight(now: float) -> str:
    """Until when a claim can be answered."""
    return datetime.fromtimestamp(int(now) + 14 * 86_400, UTC).isoformat()


def _psp() -> str:
    """A reference in Adyen's form, never given twice."""
    return uuid.uuid4().hex[:16].upper()


def _ours(payment: Json) -> str:
    """The first of the references that the caller joined, or all there is."""
    return str(payment["reference"]).removesuffix("-hold")


def _alike(amount: Json, payment: Json) -> bool:
    return bool(amount["currency"] == payment["amount"]["currency"])


def _asking(payment: Json, asked: str, result: str) -> Json:
    """An answer with something to do; only a voucher has its reference already."""
    page = f"https://checkoutshopper-test.adyen.com/checkoutshopper/{payment['psp']}"
    action: Json = {"type": asked, "paymentMethodType": payment["method"]}
    if asked == "redirect":
        action |= {"method": "GET", "url": page}
    elif asked == "qrCode":
        action |= {"qrCodeData": f"qr:{payment['psp']}", "paymentData": payment["psp"]}
    elif asked == "await":
        action |= {"paymentData": payment["psp"]}
    elif asked == "bankTransfer":
        action |= {
            "beneficiary": "Simulated",
            "bic": "ADYBNL2A",
            "iban": "NL13TEST0123456789",
            "reference": payment["psp"][:10],
            "totalAmount": payment["amount"],
        }
    else:
        action |= {
            "entity": "12101",
            "reference": "501 422 944",
            "expiresAt": "2030-01-01T00:00:00",
            "totalAmount": payment["amount"],
            "merchantReference": payment["reference"],
        }
    answer = {"resultCode": result, "action": action}
    if asked == "voucher":
        answer |= {"pspReference": payment["psp"], "merchantReference": payment["reference"]}
    return answer


def _refusal(status: int) -> Refusal:
    unknown = (status, "000", "Refused by the simulator.", "internal")
    return Refusal(*_REFUSALS.get(status, unknown), transient=status in _TRANSIENT)


def _refused(request: httpx.Request, refusal: Refusal, headers: dict[str, str]) -> httpx.Response:
    if refusal.transient:
        headers = {**headers, "transient-error": "true"}
    return httpx.Response(refusal.status, headers=headers, json=refusal.body, request=request)
