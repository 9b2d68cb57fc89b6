"""Mollie in memory: payments, captures, refunds, chargebacks, idempotency, webhooks of both kinds.

Written from Mollie's documentation and not from the adapter: nothing is imported from what talks to
Mollie, so that one misreading cannot hide the other.

Source: docs.mollie.com/reference, /docs/testing and /reference/api-idempotency, read 2026-11.
"""

import hmac
import re
from collections import Counter
from collections.abc import Callable
from typing import Any, Final, TypeAlias
from urllib.parse import parse_qs

import httpx
import msgspec

from adapters.mollie import simulator_baskets as baskets
from adapters.mollie import simulator_objects as objects
from adapters.mollie import simulator_rules as rules
from adapters.mollie.simulator_mandates import Customers
from adapters.mollie.simulator_objects import PaymentRecord
from adapters.mollie.simulator_rules import Refusal
from adapters.mollie.simulator_webhooks import Webhooks

Json: TypeAlias = dict[str, Any]
Verb: TypeAlias = Callable[..., tuple[int, Json | None]]

_KEY_LIFE_S: Final = 3_600
_TWINS_S: Final = 10  # identical refunds so close to each other are taken for a mistake
_FINAL: Final = frozenset({"paid", "authorized", "failed", "canceled", "expired"})
_TITLES: Final = {
    400: "Bad Request",
    401: "Unauthorized Request",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    409: "Conflict",
    415: "Unsupported Media Type",
    422: "Unprocessable Entity",
    423: "Conflict",
    429: "Too Many Requests",
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}


class _Kept(msgspec.Struct, frozen=True):
    """An answer that its key repeats."""

    fingerprint: bytes
    status: int
    body: bytes
    at: float


class MollieSimulator:
    """One profile.

    Args:
        webhook_url: Where signed events go; empty for nowhere. Classic webhooks go where each
            payment says.
        webhook_secret: Signing secret of the events.
        api_key: The only key that is let in.
        plan: Fields of ``WebhookPlan``.
    """

    def __init__(
        self,
        *,
        webhook_url: str = "",
        webhook_secret: str = "simulated",  # noqa: S107 - invented, opens nothing
        api_key: str = "test_simulated",
        **plan: Any,
    ) -> None:
        self._webhooks = Webhooks(webhook_url, webhook_secret)
        self._api_key = api_key
        self.customers = Customers()
        self._payments: dict[str, PaymentRecord] = {}
        self._kept: dict[str, _Kept] = {}
        self._settling: list[tuple[float, Callable[[float], None]]] = []
        self._effects: dict[str, Counter[str]] = {
            "charge": Counter(),
            "authorisation": Counter(),
            "refund": Counter(),
        }
        self.configure(**plan)
        one, mandates = "/v2/payments/{}", "/v2/customers/{}/mandates"
        self._routes: list[tuple[str, str, str, Verb]] = [
            ("POST", "/v2/payments", "payment", self._create),
            ("GET", "/v2/payments", "nothing", self._list),
            ("GET", "/v2/refunds", "nothing", self._list_parts("refunds")),
            ("GET", "/v2/chargebacks", "nothing", self._list_parts("chargebacks")),
            ("GET", one, "nothing", self._show),
            ("DELETE", one, "nothing", self._cancel),
            ("POST", f"{one}/release-authorization", "nothing", self._release),
            ("POST", f"{one}/captures", "capture", self._capture),
            ("GET", f"{one}/captures", "nothing", self._parts("captures")),
            ("POST", f"{one}/refunds", "refund", self._refund),
            ("GET", f"{one}/refunds", "nothing", self._parts("refunds")),
            ("DELETE", f"{one}/refunds/{{}}", "nothing", self._cancel_refund),
            ("GET", f"{one}/chargebacks", "nothing", self._parts("chargebacks")),
            ("POST", "/v2/customers", "customer", self.customers.create),
            ("GET", "/v2/customers", "nothing", self.customers.list),
            ("GET", "/v2/customers/{}", "nothing", self.customers.show),
            ("POST", mandates, "mandate", self.customers.create_mandate),
            ("GET", mandates, "nothing", self.customers.list_mandates),
            ("GET", f"{mandates}/{{}}", "nothing", self.customers.show_mandate),
            ("DELETE", f"{mandates}/{{}}", "nothing", self.customers.revoke),
        ]

    # What the world outside calls.

    def configure(self, **plan: Any) -> None:
        """Change the plan from here on; fields that are not named stay."""
        self._webhooks.configure(**plan)

    def handle(self, request: httpx.Request, *, now: float) -> httpx.Response:
        """Answer as Mollie does."""
        body = request.read()
        self._settle(now)
        if request.url.path == "/checkout/test-mode":
            return self._choose(request, body, now)
        try:
            self._admit(request)
            status, content = self._answer(request, body, now)
        except Refusal as refusal:
            status, content = refusal.status, objects.encode(_error(refusal))
        headers = {"Content-Type": "application/hal+json"}
        return httpx.Response(status, headers=headers, content=content, request=request)

    def refuse(self, request: httpx.Request, status: int) -> httpx.Response:
        """The error with this status; nothing happens. 423 is a lock, a 409 at Mollie."""
        shown = 409 if status == 423 else status  # noqa: PLR2004 - HTTP statuses
        content = _error(Refusal(shown, "Refused by the simulator"))
        return httpx.Response(shown, json=content, request=request)

    def due(self, *, now: float) -> list[httpx.Request]:
        """The deliveries whose time has come; each is handed out once."""
        self._settle(now)
        return self._webhooks.take(now)

    def effects(self) -> dict[str, dict[str, int]]:
        """How often money was taken, reserved and given back, and may be by mandate, by our ids."""
        counted = {kind: dict(counts) for kind, counts in self._effects.items()}
        return counted | {"mandate": self.customers.effects()}

    def pay(self, payment_id: str, status: str, *, now: float, failure: str = "") -> None:
        """The payer does something on the page, or the bank decides about a debit."""
        payment = self._payments[payment_id]
        if payment.status in _FINAL:
            raise ValueError("nothing is asked of this payer")
        if status == "paid" and payment.manual:
            status = "authorized"
        payment.failure = failure
        self._become(payment, status, now)

    def charge_back(self, payment_id: str, minor: int, *, now: float, reason: str = "") -> str:
        """The payer's bank takes money back; a reason is given for debits only."""
        payment = self._payments[payment_id]
        part = objects.new_part("chargeback", "chb", payment, minor, now)
        part["reason"] = {"code": reason, "description": reason} if reason else None
        part["reversedAt"] = None
        payment.chargebacks.insert(0, part)
        self._webhooks.emit("chargeback.received", objects.visible(part), payment, now)
        return str(part["id"])

    def reverse(self, payment_id: str, chargeback_id: str, *, now: float) -> None:
        """The bank gives it back after all."""
        payment = self._payments[payment_id]
        part = next(one for one in payment.chargebacks if one["id"] == chargeback_id)
        part["reversedAt"] = objects.moment(now)
        self._webhooks.emit("chargeback.reversed", objects.visible(part), payment, now)

    def fail_refund(self, payment_id: str, refund_id: str, *, now: float) -> None:
        """The bank sends a refund back."""
        payment = self._payments[payment_id]
        part = next(one for one in payment.refunds if one["id"] == refund_id)
        self._refund_becomes(payment, part, "failed", now)

    # Who may come in, and which answers are repeated.

    def _admit(self, request: httpx.Request) -> None:
        given = request.headers.get("authorization", "")
        if not hmac.compare_digest(given.encode(), f"Bearer {self._api_key}".encode()):
            raise Refusal(401, "Missing authentication, or failed to authenticate")

    def _answer(self, request: httpx.Request, body: bytes, now: float) -> tuple[int, bytes]:
        key = "" if request.method == "GET" else request.headers.get("idempotency-key", "")
        fingerprint = f"{request.method} {request.url.path}\n".encode() + body
        kept = self._kept.get(key)
        if key and kept and now - kept.at < _KEY_LIFE_S:
            if kept.fingerprint != fingerprint:
                raise Refusal(409, "The idempotency key was used for another request")
            return kept.status, kept.body
        verb, kind, ids = self._route(request)
        status, answer = verb(*ids, rules.read(request, body, kind), request, now)
        content = b"" if answer is None else objects.encode(answer)
        if key:
            self._kept[key] = _Kept(fingerprint, status, content, now)
        return status, content

    def _route(self, request: httpx.Request) -> tuple[Verb, str, tuple[str, ...]]:
        for method, pattern, kind, verb in self._routes:
            match = re.fullmatch(pattern.replace("{}", "([^/]+)"), request.url.path)
            if match and method == request.method:
                return verb, kind, match.groups()
        raise Refusal(404, f"There is no {request.method} {request.url.path}")

    # Payments.

    def _create(self, given: Json, _request: httpx.Request, now: float) -> tuple[int, Json]:
        rules.check_payment(given, self.customers.methods)
        baskets.check(given, rules.units)
        payment = PaymentRecord(given, *rules.units(given), now)
        payment.routed = baskets.routed(given, rules.units)
        self._payments[payment.id] = payment
        if given.get("sequenceType") == "recurring":
            self._charge_mandate(payment, now)
        elif "cardToken" in given:
            self._charge_card(payment, rules.CARDS[given["cardToken"]], now)
        elif "googlePayPaymentToken" in given or "applePayPaymentToken" in given:
            self._charge_card(payment, "paid", now)
        else:
            payment.page = True
        return 201, payment.shown()

    def _charge_mandate(self, payment: PaymentRecord, now: float) -> None:
        declined = payment.given["customerId"] == "cst_declined"
        if payment.given["method"] in {"directdebit", "bacs"}:
            payment.failure = "AM04" if declined else ""
            status = "failed" if declined else "paid"
            self._become(payment, "pending", now)
            self._later(now, lambda at: self._decide(payment, status, at))
            return
        payment.failure = "insufficient_funds" if declined else ""
        self._become(payment, "failed" if declined else "paid", now)

    def _charge_card(self, payment: PaymentRecord, outcome: str, now: float) -> None:
        if outcome == "open":
            payment.page = True
        elif outcome == "paid":
            self._become(payment, "authorized" if payment.manual else "paid", now)
        else:
            payment.failure = outcome
            self._become(payment, "failed", now)

    def _decide(self, payment: PaymentRecord, status: str, now: float) -> None:
        if payment.status not in _FINAL:
            self._become(payment, status, now)

    def _become(self, payment: PaymentRecord, status: str, now: float) -> None:
        payment.status = status
        if status in _FINAL:
            payment.at[status] = now
        if status == "authorized":
            self._effects["authorisation"][objects.our_id(payment.shown())] += 1
        elif status == "paid" and payment.captured is None:
            self._effects["charge"][objects.our_id(payment.shown())] += 1
        self._webhooks.emit(f"payment.{status}", payment.shown(), payment, now)

    def _show(
        self, payment_id: str, _given: Json, request: httpx.Request, _now: float
    ) -> tuple[int, Json]:
        if unknown := set(request.url.params) - {"include", "embed"}:
            raise Refusal(400, f"Non-existent query parameter {min(unknown)}")
        payment = self._known(payment_id)
        return 200, payment.shown() | payment.embedded(request.url.params.get("embed", ""))

    def _list(self, _given: Json, request: httpx.Request, _now: float) -> tuple[int, Json]:
        shown = [one.shown() for one in reversed(self._payments.values())]
        return 200, rules.page_of(shown, request.url.params, "payments", f"{objects.API}/payments")

    def _cancel(
        self, payment_id: str, _given: Json, _request: httpx.Request, now: float
    ) -> tuple[int, Json]:
        payment = self._known(payment_id)
        if not payment.cancelable:
            raise Refusal(422, "The payment cannot be cancelled")
        self._become(payment, "canceled", now)
        return 200, payment.shown()

    def _release(
        self, payment_id: str, _given: Json, _request: httpx.Request, now: float
    ) -> tuple[int, None]:
        payment = self._known(payment_id)
        if payment.status != "authorized":
            raise Refusal(422, "Authorization cannot be released: the payment is not authorized")
        self._become(payment, "paid" if payment.captured else "canceled", now)
        return 202, None

    # What happens to the money of a payment.

    def _capture(
        self, payment_id: str, given: Json, _request: httpx.Request, now: float
    ) -> tuple[int, Json]:
        payment = self._known(payment_id)
        if payment.status != "authorized":
            raise Refusal(422, "The payment is not authorized, so nothing can be captured")
        left = payment.minor - sum(one["_minor"] for one in payment.captures)
        minor = rules.units(given)[0] if "amount" in given else left
        if "amount" in given and given["amount"]["currency"] != payment.currency:
            raise Refusal(422, "The amount contains an invalid currency", "amount.currency")
        if minor > left:
            raise Refusal(422, "The amount is higher than what can be captured", "amount")
        part = objects.new_part("capture", "cpt", payment, minor, now)
        part |= {"mode": "test", "status": "pending", "metadata": given.get("metadata")}
        payment.captures.insert(0, part)
        self._later(
            now, lambda at: self._captured(payment, part, at), self._webhooks.plan.capture_s
        )
        return 201, objects.visible(part)

    def _captured(self, payment: PaymentRecord, part: Json, now: float) -> None:
        part["status"] = "succeeded"
        payment.captured = (payment.captured or 0) + part["_minor"]
        self._effects["charge"][objects.our_id(payment.shown())] += 1
        if payment.captured == payment.minor or not self._webhooks.plan.multiple_captures:
            self._become(payment, "paid", now)

    def _refund(
        self, payment_id: str, given: Json, _request: httpx.Request, now: float
    ) -> tuple[int, Json]:
        payment = self._known(payment_id)
        minor, currency = rules.units(given)
        if currency != payment.currency:
            raise Refusal(422, "The amount contains an invalid currency", "amount.currency")
        if not payment.collected or payment.given["method"] == "giftcard":
            raise Refusal(422, "The payment cannot be refunded")
        for one in payment.refunds:
            near = one["createdAt"] > objects.moment(now - _TWINS_S)
            if near and (one["_minor"], one["metadata"]) == (minor, given.get("metadata")):
                raise Refusal(409, "A duplicate refund has been detected")
        if minor > payment.collected - payment.given_back:
            raise Refusal(422, "The specified amount cannot be refunded", "amount")
        payment.routed -= baskets.reversed_by(given, rules.units, payment.routed)
        part = objects.new_part("refund", "re", payment, minor, now)
        part |= {
            "mode": "test",
            "status": "pending",
            "metadata": given.get("metadata"),
            "description": given.get("description", payment.given["description"]),
        }
        payment.refunds.insert(0, part)
        self._effects["refund"][objects.our_id(part, "refund_id")] += 1
        self._webhooks.emit("refund.pending", objects.visible(part), payment, now)
        self._later(now, lambda at: self._refund_becomes(payment, part, "refunded", at))
        return 201, objects.visible(part)

    def _cancel_refund(
        self, payment_id: str, refund_id: str, _given: Json, _request: httpx.Request, now: float
    ) -> tuple[int, Json | None]:
        payment = self._known(payment_id)
        part = next((one for one in payment.refunds if one["id"] == refund_id), None)
        if part is None or part["status"] not in {"queued", "pending"}:
            raise Refusal(404, "No refund exists with this id that can be canceled")
        self._effects["refund"][objects.our_id(part, "refund_id")] -= 1
        self._refund_becomes(payment, part, "canceled", now)
        return 204, None

    def _refund_becomes(self, payment: PaymentRecord, part: Json, status: str, now: float) -> None:
        if part["status"] in {"canceled", "failed"}:
            return
        part["status"] = status
        self._webhooks.emit(f"refund.{status}", objects.visible(part), payment, now)

    def _parts(self, name: str) -> Verb:
        def listed(
            payment_id: str, _given: Json, request: httpx.Request, _now: float
        ) -> tuple[int, Json]:
            found = [objects.visible(one) for one in getattr(self._known(payment_id), name)]
            url = f"{objects.API}/payments/{payment_id}/{name}"
            return 200, rules.page_of(found, request.url.params, name, url)

        return listed

    def _list_parts(self, name: str) -> Verb:
        """Those of all payments."""

        def listed(_given: Json, request: httpx.Request, _now: float) -> tuple[int, Json]:
            every = [part for one in self._payments.values() for part in getattr(one, name)]
            every.sort(key=lambda part: str(part["createdAt"]), reverse=True)
            found = [objects.visible(part) for part in every]
            return 200, rules.page_of(found, request.url.params, name, f"{objects.API}/{name}")

        return listed

    def _known(self, payment_id: str) -> PaymentRecord:
        if payment_id not in self._payments:
            raise Refusal(404, f"No payment exists with token {payment_id}.")
        return self._payments[payment_id]

    # Time, and the page of the test mode.

    def _later(
        self, now: float, happen: Callable[[float], None], after_s: float | None = None
    ) -> None:
        pause = self._webhooks.plan.settle_s if after_s is None else after_s
        if pause <= 0:
            happen(now)
        else:
            self._settling.append((now + pause, happen))

    def _settle(self, now: float) -> None:
        ready = [one for one in self._settling if one[0] <= now]
        self._settling = [one for one in self._settling if one[0] > now]
        for at, happen in ready:
            happen(at)
        for payment in self._payments.values():
            if payment.status == "open" and payment.expires_at <= now:
                self._become(payment, "expired", payment.expires_at)

    def _choose(self, request: httpx.Request, body: bytes, now: float) -> httpx.Response:
        """The payer's page of the test mode: which end the payment shall have."""
        payment = self._payments.get(request.url.params.get("token", ""))
        chosen = parse_qs(body.decode()).get("final_state", [""])[0]
        if payment is None or chosen not in _FINAL or payment.status in _FINAL:
            return httpx.Response(422, text="Nothing to choose", request=request)
        self.pay(payment.id, chosen, now=now)
        headers = {"Location": payment.given.get("redirectUrl") or "/"}
        return httpx.Response(303, headers=headers, request=request)


def _error(refusal: Refusal) -> Json:
    """An error as Mollie writes it."""
    found: Json = {
        "status": refusal.status,
        "title": _TITLES[refusal.status],
        "detail": refusal.detail,
        "_links": {
            "documentation": rules.link("https://docs.mollie.com/errors", "text/html"),
        },
    }
    if refusal.field:
        found["field"] = refusal.field
    return found
