"""PayPal in memory: logins, orders, captures, refunds, payouts, keys, signed webhooks.

Written from PayPal's documentation and not from the adapter: nothing is imported from what talks to
PayPal, so that one misreading cannot hide the other.

Source: paypal-rest-api-specifications of 2024-02, developer.paypal.com/api/rest, read 2026-11.
"""

import base64
import json
import re
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, Final, TypeAlias

import httpx

from adapters.paypal import simulator_rules as rules
from adapters.paypal import simulator_webhooks as webhooks
from adapters.paypal.simulator_disputes import Disputes
from adapters.paypal.simulator_objects import PAGE, OrderRecord, visible
from adapters.paypal.simulator_payouts import PATH, Payouts, duplicate
from adapters.paypal.simulator_rules import Refusal
from adapters.paypal.simulator_vault import Vault
from adapters.paypal.simulator_webhooks import Webhooks, moment

Json: TypeAlias = dict[str, Any]
Verb: TypeAlias = Callable[..., tuple[int, Json | None]]

_KEY_LIFE_S: Final = 6 * 3_600
_TOKEN_LIFE_S: Final = 32_400
_FINAL: Final = frozenset({"COMPLETED", "VOIDED"})
_COLLECTED: Final = frozenset({"COMPLETED", "PARTIALLY_REFUNDED"})


class PayPalSimulator:
    """One account with one app.

    Args:
        webhook_url: Where events go; empty for nowhere.
        webhook_id: Of the webhook, part of what is signed.
        client_id: Of the only app that is let in.
        client_secret: Of the same app.
        origin: Where this is served, for the address of the certificate.
        plan: Fields of ``WebhookPlan``.
    """

    def __init__(
        self,
        *,
        webhook_url: str = "",
        webhook_id: str = "WEBHOOK-SIMULATED",
        client_id: str = "simulated",
        client_secret: str = "simulated",  # noqa: S107 - invented, opens nothing
        origin: str = "https://api.sandbox.paypal.com",
        **plan: Any,
    ) -> None:
        self._webhooks = Webhooks(webhook_url, webhook_id, origin)
        self._app = base64.b64encode(f"{client_id}:{client_secret}".encode()).decode()
        self._tokens: dict[str, float] = {}
        self._orders: dict[str, OrderRecord] = {}
        self._kept: dict[tuple[str, str], tuple[float, Json | None]] = {}
        self._settling: list[tuple[float, Callable[[float], None]]] = []
        self._effects: dict[str, Counter[str]] = {
            "charge": Counter(),
            "authorisation": Counter(),
            "refund": Counter(),
            "payout": Counter(),
        }
        self._disputes = Disputes(self._webhooks.emit, self._given_up)
        self._effects |= self._disputes.effects
        self.configure(**plan)
        self.payouts = Payouts(self._webhooks.emit, self._later, self._effects)
        self.vault = Vault(self._webhooks.emit)
        order, held = "/v2/checkout/orders/{}", "/v2/payments/authorizations/{}"
        taken = "/v2/payments/captures/{}"
        self._routes: list[tuple[str, str, Verb]] = [
            ("POST", "/v2/checkout/orders", self._create),
            ("GET", order, self._show),
            ("POST", f"{order}/confirm-payment-source", self._confirm),
            ("POST", f"{order}/capture", self._complete("CAPTURE")),
            ("POST", f"{order}/authorize", self._complete("AUTHORIZE")),
            ("GET", held, self._show_part("authorizations")),
            ("POST", f"{held}/capture", self._capture),
            ("POST", f"{held}/void", self._void),
            ("GET", taken, self._show_part("captures")),
            ("POST", f"{taken}/refund", self._refund),
            ("GET", "/v2/payments/refunds/{}", self._show_part("refunds")),
            ("GET", "/v1/notifications/webhooks", self._hooks),
            *self.payouts.routes,
            *self.vault.routes,
            ("GET", "/v1/notifications/webhooks-events", self._list_events),
            *self._disputes.routes,
        ]

    # What the world outside calls.

    def configure(self, **plan: Any) -> None:
        """Change the plan from here on; fields that are not named stay."""
        self._webhooks.configure(**plan)

    def handle(self, request: httpx.Request, *, now: float) -> httpx.Response:
        """Answer as PayPal does."""
        body = request.read()
        self._settle(now)
        date = {"Date": format_datetime(datetime.fromtimestamp(now, UTC), usegmt=True)}
        path = request.url.path
        if path in {webhooks.CERTIFICATE, webhooks.ROOT}:
            pem = webhooks.root() if path == webhooks.ROOT else webhooks.certificate()
            return httpx.Response(200, content=pem, headers=date, request=request)
        if path == PAGE:
            return self._page(request, now)
        try:
            status, content = self._answer(request, body, now)
        except Refusal as refusal:
            status = refusal.status
            content = rules.error(status, refusal.issue, refusal.field)
            if refusal.issue == "DUPLICATE_BATCH":
                content = duplicate(refusal.field)
        if content is None:
            return httpx.Response(status, headers=date, request=request)
        return httpx.Response(status, json=content, headers=date, request=request)

    def refuse(self, request: httpx.Request, status: int) -> httpx.Response:
        """The error with this status; nothing happens. 423 is a lock, a 409 at PayPal."""
        shown = 409 if status == 423 else status  # noqa: PLR2004 - HTTP statuses
        return httpx.Response(shown, json=rules.error(shown), request=request)

    def due(self, *, now: float) -> list[httpx.Request]:
        """The deliveries whose time has come; each is handed out once."""
        self._settle(now)
        return self._webhooks.take(now)

    def effects(self) -> dict[str, dict[str, int]]:
        """How often money was taken, reserved and given back, by our ids."""
        counted = {kind: dict(counts) for kind, counts in self._effects.items()}
        return counted | {"mandate": self.vault.effects()}

    def approve(self, order_id: str, *, now: float, outcome: str = "COMPLETED") -> None:
        """The payer agrees on the page; nothing is collected by that."""
        order = self._orders[order_id]
        if order.status not in {"CREATED", "PAYER_ACTION_REQUIRED"}:
            raise ValueError("nothing is asked of this payer")
        order.outcome, order.status, order.updated = outcome, "APPROVED", now
        self._webhooks.emit("CHECKOUT.ORDER.APPROVED", order.shown(), now)
        if order.instruction != "NO_INSTRUCTION":
            self._collect(order, now)

    def dispute(self, order_id: str, reason: str, *, now: float) -> None:
        """The payer complains (BUYER_COMPLAINT), or the issuer took the money (CHARGEBACK)."""
        order = self._orders[order_id]
        capture = order.captures[0]
        capture["status_details"] = {"reason": reason}
        self._disputes.open(order, capture, reason, now)
        self._tell("PAYMENT.CAPTURE.REVERSED", order, capture, now)

    def decide(self, order_id: str, outcome: str, *, now: float) -> None:
        """PayPal decides about a dispute, with an outcome code of its own."""
        self._disputes.decide(self._orders[order_id].captures[0]["id"], outcome, now)

    def fail_refund(self, refund_id: str, *, now: float) -> None:
        """The bank sends a refund back."""
        order, refund = self._part("refunds", refund_id)
        refund["status"] = "FAILED"
        self._revalue(order, refund["_capture"])
        self._tell("PAYMENT.REFUND.FAILED", order, refund, now)

    # Who may come in, and which answers are repeated.

    def _answer(self, request: httpx.Request, body: bytes, now: float) -> tuple[int, Json | None]:
        if request.url.path == "/v1/oauth2/token":
            return self._login(request, body, now)
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if self._tokens.get(token, 0.0) <= now:
            return 401, {"error": "invalid_token", "error_description": "Token is not valid."}
        verb, ids = self._route(request)
        if request.method == "GET":
            return verb(*ids, request, {}, now)
        if "/v1/customer/disputes/" in request.url.path:  # which has no keys
            evidence = request.url.path.endswith("/provide-evidence")
            return verb(*ids, request, {} if evidence else rules.read(request, body), now)
        given = {} if request.method == "DELETE" else rules.read(request, body)
        # For payouts PayPal heeds the sender_batch_id alone.
        named = "" if request.url.path == PATH else request.headers.get("paypal-request-id", "")
        key = (request.url.path, named)
        at, answer = self._kept.get(key, (now - _KEY_LIFE_S, None))
        if key[1] and now - at < _KEY_LIFE_S:
            return 200, self._as_of_now(answer)
        status, answer = verb(*ids, request, given, now)
        if key[1]:
            self._kept[key] = (now, answer)
        return status, answer

    def _as_of_now(self, answer: Json | None) -> Json | None:
        """What a repetition is told: the thing as it is now."""
        order = self._orders.get((answer or {}).get("id", ""))
        return order.shown() if order else answer

    def _login(self, request: httpx.Request, body: bytes, now: float) -> tuple[int, Json]:
        if request.headers.get("authorization") != f"Basic {self._app}":
            said = "Client Authentication failed"
            return 401, {"error": "invalid_client", "error_description": said}
        if request.method != "POST" or body != b"grant_type=client_credentials":
            return 400, {"error": "unsupported_grant_type", "error_description": "Grant Type"}
        token = f"A21AA{len(self._tokens):032d}"
        self._tokens[token] = now + _TOKEN_LIFE_S
        return 200, {
            "scope": "https://uri.paypal.com/services/payments/payment",
            "access_token": token,
            "token_type": "Bearer",
            "app_id": "APP-80W284485P519543T",
            "expires_in": _TOKEN_LIFE_S,
            "nonce": "2026-01-01T00:00:00Zsimulated",
        }

    def _route(self, request: httpx.Request) -> tuple[Verb, tuple[str, ...]]:
        for method, pattern, verb in self._routes:
            match = re.fullmatch(pattern.replace("{}", "([^/]+)"), request.url.path)
            if match and method == request.method:
                return verb, match.groups()
        raise Refusal(404, "INVALID_RESOURCE_ID")

    # Orders.

    def _create(self, request: httpx.Request, given: Json, now: float) -> tuple[int, Json]:
        unit, source, outcome = rules.check_order(given, self.vault.outcome)
        if "paypal-request-id" not in request.headers:
            raise Refusal(400, "PAYPAL_REQUEST_ID_REQUIRED")
        order = OrderRecord(given, unit, source, outcome, now)
        if outcome == "PAYER_ACTION_REQUIRED":
            order.status = outcome if source else "CREATED"
        else:
            self._collect(order, now)
        self._orders[order.id] = order
        return 201 if order.status == "COMPLETED" else 200, order.shown()

    def _confirm(
        self, order_id: str, _request: httpx.Request, given: Json, _now: float
    ) -> tuple[int, Json]:
        order = self._order(order_id)
        if order.status not in {"CREATED", "PAYER_ACTION_REQUIRED"}:
            raise Refusal(422, "ORDER_ALREADY_COMPLETED")
        order.source, source = rules.check_source(given, order.intent, order.currency)
        order.asked(source)
        order.status = "PAYER_ACTION_REQUIRED"
        order.instruction = given["processing_instruction"]
        return 200, order.shown()

    def _show(self, order_id: str, *_: Any) -> tuple[int, Json]:
        return 200, self._order(order_id).shown()

    def _complete(self, intent: str) -> Verb:
        def completed(
            order_id: str, request: httpx.Request, _given: Json, now: float
        ) -> tuple[int, Json]:
            order = self._order(order_id)
            rules.check_assertion(request, order.member)
            if order.intent != intent:
                raise Refusal(422, "ACTION_DOES_NOT_MATCH_INTENT")
            if order.status == "COMPLETED":
                done = "CAPTURED" if intent == "CAPTURE" else "AUTHORIZED"
                raise Refusal(422, f"ORDER_ALREADY_{done}")
            if order.status != "APPROVED":
                raise Refusal(422, "ORDER_NOT_APPROVED")
            self._collect(order, now)
            return 201, order.shown()

        return completed

    def _collect(self, order: OrderRecord, now: float) -> None:
        """What the order was made for; refused where somebody says no."""
        outcome = order.outcome
        if outcome not in {"COMPLETED", "PENDING"} and not outcome.isdigit():
            raise Refusal(422, outcome)
        invoices = [one for one in self._orders.values() if one.status in _FINAL and one != order]
        if any(one.unit.get("invoice_id", one) == order.unit.get("invoice_id") for one in invoices):
            raise Refusal(422, "DUPLICATE_INVOICE_ID")
        order.status, order.updated = "COMPLETED", now
        if order.intent == "AUTHORIZE":
            status = {"COMPLETED": "CREATED", "PENDING": "PENDING"}.get(outcome, "DENIED")
            part = order.part("authorization", status, order.minor, now)
            order.authorizations.append(part)
            if status == "CREATED":
                self._effects["authorisation"][order.our_id] += 1
        else:
            status = "DECLINED" if outcome.isdigit() else outcome
            part = order.part("capture", status, order.minor, now)
            instruction = order.unit.get("payment_instruction")
            order.kept += rules.fee(instruction, order.minor, order.currency, "")
            self._captured(order, part, now)
        if outcome.isdigit():
            part["processor_response"] = {"response_code": outcome}

    # What happens to the money of an order.

    def _captured(self, order: OrderRecord, part: Json, now: float) -> None:
        order.captures.append(part)
        part["final_capture"] = False
        if part["status"] == "COMPLETED":
            self._effects["charge"][order.our_id] += 1
        elif part["status"] == "PENDING":
            part["status_details"] = {"reason": "PENDING_REVIEW"}
            self._later(now, lambda at: self._came(order, part, at))
        self._tell(f"PAYMENT.CAPTURE.{part['status']}", order, part, now)

    def _came(self, order: OrderRecord, part: Json, now: float) -> None:
        part["status"] = "COMPLETED"
        del part["status_details"]
        self._effects["charge"][order.our_id] += 1
        self._tell("PAYMENT.CAPTURE.COMPLETED", order, part, now)

    def _capture(
        self, held_id: str, _request: httpx.Request, given: Json, now: float
    ) -> tuple[int, Json]:
        order, held = self._part("authorizations", held_id)
        left = held["_minor"] - sum(one["_minor"] for one in order.captures)
        if held["status"] == "VOIDED":
            raise Refusal(422, "AUTHORIZATION_VOIDED")
        if held["status"] not in {"CREATED", "PARTIALLY_CAPTURED"}:
            raise Refusal(422, "AUTHORIZATION_ALREADY_CAPTURED")
        minor, currency = left, order.currency
        if "amount" in given:
            minor, currency = rules.units(given["amount"], "/amount")
        if currency != order.currency:
            raise Refusal(422, "AUTH_CAPTURE_CURRENCY_MISMATCH", "/amount/currency_code")
        if minor > left:
            raise Refusal(422, "MAX_CAPTURE_AMOUNT_EXCEEDED", "/amount")
        order.kept += rules.fee(given.get("payment_instruction"), minor, currency, "")
        held["status"] = "CAPTURED" if minor == left else "PARTIALLY_CAPTURED"
        part = order.part("capture", "COMPLETED", minor, now)
        self._captured(order, part, now)
        return 201, visible(part)

    def _void(
        self, held_id: str, request: httpx.Request, _given: Json, now: float
    ) -> tuple[int, Json | None]:
        order, held = self._part("authorizations", held_id)
        rules.check_assertion(request, order.member)
        if held["status"] == "VOIDED":
            raise Refusal(422, "PREVIOUSLY_VOIDED")
        if held["status"] not in {"CREATED", "PENDING", "PARTIALLY_CAPTURED"}:
            raise Refusal(422, "PREVIOUSLY_CAPTURED")
        held["status"] = "VOIDED"
        self._tell("PAYMENT.AUTHORIZATION.VOIDED", order, held, now)
        whole = request.headers.get("prefer") == "return=representation"
        return (200, visible(held)) if whole else (204, None)

    def _refund(
        self, capture_id: str, request: httpx.Request, given: Json, now: float
    ) -> tuple[int, Json]:
        order, capture = self._part("captures", capture_id)
        rules.check_assertion(request, order.member)
        if capture["status"] == "REFUNDED":
            raise Refusal(422, "CAPTURE_FULLY_REFUNDED")
        if capture["status"] not in _COLLECTED:
            raise Refusal(422, "REFUND_NOT_ALLOWED")
        minor, currency = order.left(capture), order.currency
        if "amount" in given:
            minor, currency = rules.units(given["amount"], "/amount")
        if currency != order.currency:
            raise Refusal(422, "REFUND_CAPTURE_CURRENCY_MISMATCH", "/amount/currency_code")
        if minor > order.left(capture):
            raise Refusal(422, "REFUND_AMOUNT_EXCEEDED", "/amount")
        fee = rules.fee(given.get("payment_instruction"), minor, currency, "")
        if fee > order.kept:
            raise Refusal(422, "PLATFORM_FEE_EXCEEDED", "/payment_instruction/platform_fees")
        order.kept -= fee
        pending = self._webhooks.plan.refund_pending
        status = "PENDING" if pending else "COMPLETED"
        refund = order.refund(capture, given, status, minor, now)
        order.refunds.append(refund)
        self._revalue(order, capture["id"])
        self._effects["refund"][str(given.get("invoice_id", ""))] += 1
        if pending:
            self._later(now, lambda at: self._given(order, refund, at))
        else:
            self._given(order, refund, now)
        return 201, visible(refund)

    def _given_up(self, order: OrderRecord, capture: Json, now: float) -> None:
        """A claim was accepted: PayPal gives back what is left."""
        refund = order.refund(capture, {}, "COMPLETED", order.left(capture), now)
        order.refunds.append(refund)
        self._revalue(order, capture["id"])
        self._given(order, refund, now)

    def _given(self, order: OrderRecord, refund: Json, now: float) -> None:
        if refund["status"] != "FAILED":
            refund["status"] = "COMPLETED"
            self._tell("PAYMENT.CAPTURE.REFUNDED", order, refund, now)

    def _revalue(self, order: OrderRecord, capture_id: str) -> None:
        capture = next(one for one in order.captures if one["id"] == capture_id)
        left = order.left(capture)
        part = "COMPLETED" if left == capture["_minor"] else "PARTIALLY_REFUNDED"
        capture["status"] = part if left else "REFUNDED"

    def _show_part(self, kind: str) -> Verb:
        return lambda part_id, *_: (200, visible(self._part(kind, part_id)[1]))

    def _hooks(self, *_: Any) -> tuple[int, Json]:
        return 200, {"webhooks": []}

    def _list_events(self, request: httpx.Request, *_: Any) -> tuple[int, Json]:
        return 200, self._webhooks.page(request.url.params)

    def _order(self, order_id: str) -> OrderRecord:
        if order_id not in self._orders:
            raise Refusal(404, "INVALID_RESOURCE_ID")
        return self._orders[order_id]

    def _part(self, kind: str, part_id: str) -> tuple[OrderRecord, Json]:
        for order in self._orders.values():
            for part in getattr(order, kind):
                if part["id"] == part_id:
                    return order, part
        raise Refusal(404, "INVALID_RESOURCE_ID")

    # Time, the page, and what is reported.

    def _later(self, now: float, happen: Callable[[float], None]) -> None:
        self._settling.append((now + self._webhooks.plan.settle_s, happen))

    def _settle(self, now: float) -> None:
        ready = [one for one in self._settling if one[0] <= now]
        self._settling = [one for one in self._settling if one[0] > now]
        for at, happen in ready:
            happen(at)

    def _tell(self, event_type: str, order: OrderRecord, part: Json, now: float) -> None:
        part["update_time"] = moment(now)
        related = {"related_ids": {"order_id": order.id}}
        refund = "_capture" in part
        resource = visible(part) | ({} if refund else {"supplementary_data": related})
        self._webhooks.emit(event_type, json.loads(json.dumps(resource)), now)

    def _page(self, request: httpx.Request, now: float) -> httpx.Response:
        """The payer's page: whoever posts to it agrees."""
        order = self._orders.get(request.url.params.get("token", ""))
        if request.method != "POST" or order is None or order.status != "PAYER_ACTION_REQUIRED":
            return httpx.Response(422, text="Nothing to approve", request=request)
        self.approve(order.id, now=now)
        return httpx.Response(303, headers={"Location": order.back or "/"}, request=request)
