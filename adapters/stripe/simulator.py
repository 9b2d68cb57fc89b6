"""Stripe in memory: PaymentIntents, Refunds, Payouts, Events, idempotency, signed webhooks.

Written from Stripe's documentation and not from the adapter: nothing is imported from what talks to
Stripe, so that one misreading cannot hide the other.

Source: docs.stripe.com/api and /testing, OpenAPI document of 2023-08-16, read 2026-11.
"""

import hmac
import re
import uuid
from collections import Counter
from collections.abc import Callable
from copy import deepcopy
from typing import Any, Final, TypeAlias

import httpx
import msgspec

from adapters.stripe import simulator_forms as forms
from adapters.stripe import simulator_methods as methods
from adapters.stripe import simulator_objects as objects
from adapters.stripe.simulator_connect import Connect
from adapters.stripe.simulator_disputes import Disputes
from adapters.stripe.simulator_increments import Increments
from adapters.stripe.simulator_refunds import Refunds
from adapters.stripe.simulator_setups import Setups
from adapters.stripe.simulator_webhooks import Webhooks

Json: TypeAlias = dict[str, Any]
Reply: TypeAlias = tuple[int, Json]

_KEY_LIFE_S: Final = 86_400

# Errors whose code is not card_declined with the reason behind it.
_OWN_CODE: Final = {"expired_card", "processing_error"}

_REFUSALS: Final = {
    400: ("invalid_request_error", "parameter_invalid_empty"),
    401: ("invalid_request_error", None),
    403: ("invalid_request_error", None),
    404: ("invalid_request_error", "resource_missing"),
    409: ("idempotency_error", "idempotency_key_in_use"),
    423: ("invalid_request_error", "lock_timeout"),
    429: ("invalid_request_error", "rate_limit"),
}


class _Kept(msgspec.Struct, frozen=True):
    """An answer that its key repeats."""

    fingerprint: str
    status: int
    body: bytes
    at: float


class StripeSimulator:
    """One Stripe account.

    Args:
        webhook_url: Where deliveries go; empty for nowhere, the events are kept all the same.
        webhook_secret: Signing secret of the endpoint.
        secret_key: The only key that is let in.
        plan: Fields of ``WebhookPlan``.
    """

    def __init__(
        self,
        *,
        webhook_url: str = "",
        webhook_secret: str = "whsec_simulated",  # noqa: S107 - invented, opens nothing
        secret_key: str = "sk_test_simulated",  # noqa: S107 - the same
        **plan: Any,
    ) -> None:
        self._webhooks = Webhooks(webhook_url, webhook_secret)
        self._secret_key = secret_key
        self._intents: dict[str, Json] = {}
        self._charges: dict[str, Json] = {}
        self._refunds: dict[str, Json] = {}
        self._kept: dict[tuple[str, str], _Kept] = {}
        self._settling: list[tuple[float, Callable[[float], None]]] = []
        counted = ("charge", "authorisation", "refund", "payout", "transfer", "reversal")
        self._effects = {name: Counter[str]() for name in counted}
        self._cause: Json = {"id": None, "idempotency_key": None}
        self._disputes = Disputes(self._emit)
        self._increments = Increments(self._known_intent, self._shown, self._charges, self._emit)
        self._effects |= self._disputes.effects | self._increments.effects
        self.configure(**plan)
        self.setups = Setups(self._emit)
        self.connect = Connect(self._emit, self._later, self._effects, self._charges)
        self._routes: list[tuple[str, str, dict[str, str], Callable[..., Json]]] = [
            ("POST", "/v1/payment_intents", forms.CREATE, self._create_intent),
            ("GET", "/v1/payment_intents", forms.PAGE, self._list_intents),
            ("GET", "/v1/payment_intents/search", forms.SEARCH, self._search_intents),
            ("GET", "/v1/payment_intents/{}", forms.ONE, self._read_intent),
            ("POST", "/v1/payment_intents/{}/confirm", forms.CONFIRM, self._confirm_intent),
            ("POST", "/v1/payment_intents/{}/capture", forms.CAPTURE, self._capture_intent),
            ("POST", "/v1/payment_intents/{}/cancel", forms.CANCEL, self._cancel_intent),
            ("POST", "/v1/refunds", forms.REFUND, self._create_refund),
            ("GET", "/v1/refunds", forms.BY_PAYMENT, self._list_refunds),
            ("GET", "/v1/refunds/{}", forms.ONE, self._read_refund),
            ("GET", "/v1/events", forms.BY_TYPE, self._list_events),
            ("GET", "/v1/events/{}", forms.ONE, self._read_event),
            *self._increments.routes,
            *Refunds(self._refunds, self._charges, self._effects["refund"], self._emit).routes,
            *self._disputes.routes,
            *self.connect.routes,
            *self.setups.routes,
        ]

    # What the world outside calls.

    def configure(self, **plan: Any) -> None:
        """Change the plan from here on; fields that are not named stay."""
        self._webhooks.configure(**plan)

    def handle(self, request: httpx.Request, *, now: float) -> httpx.Response:
        """Answer as Stripe does."""
        body = request.read()
        self._settle(now)
        try:
            self._admit(request)
            self.connect.act(request.headers.get("stripe-account", ""))
            status, content, replayed = self._answer(request, body, now)
        except forms.Refusal as refusal:
            status, replayed = refusal.status, False
            content = objects.encode({"error": refusal.error})
        headers = {"Content-Type": "application/json", "Request-Id": f"req_{uuid.uuid4().hex[:14]}"}
        if replayed:
            headers["Idempotent-Replayed"] = "true"
        return httpx.Response(status, headers=headers, content=content, request=request)

    def refuse(self, request: httpx.Request, status: int) -> httpx.Response:
        """The error with this status; nothing happens. 423 is Stripe's lock time-out, a 429."""
        kind, code = _REFUSALS.get(status, ("api_error", None))
        error: Json = {"message": "Refused by the simulator.", "type": kind}
        if code:
            error["code"] = code
        shown = 429 if status == 423 else status  # noqa: PLR2004 - HTTP statuses
        return httpx.Response(shown, json={"error": error}, request=request)

    def due(self, *, now: float) -> list[httpx.Request]:
        """The deliveries whose time has come, signed now; each is handed out once."""
        self._settle(now)
        return self._webhooks.due(now)

    def effects(self) -> dict[str, dict[str, int]]:
        """How often money was taken, reserved and given back, by our ids."""
        return {kind: dict(each) for kind, each in self._effects.items()} | self.setups.effects()

    def authenticate(self, intent_id: str, *, succeeds: bool, now: float) -> None:
        """The customer answers the bank's question; no API does that in Stripe's place."""
        intent = self._intents[intent_id]
        if intent["status"] != "requires_action":
            raise ValueError("nothing is asked of this customer")
        intent["next_action"] = None
        if succeeds:
            self._charge(intent, now)
        else:
            self._fail(intent, "payment_intent_authentication_failure", None, now)

    def dispute(self, intent_id: str, *, now: float, amount: int | None = None) -> str:
        """The payer claims money back; Stripe's id of the dispute."""
        return self._disputes.open(self._intents[intent_id], now, amount=amount)

    def decide(self, dispute_id: str, *, won: bool, now: float) -> None:
        """The issuer decides about a dispute."""
        self._disputes.decide(dispute_id, now, won=won)

    # Who may come in, and which answers are repeated.

    def _admit(self, request: httpx.Request) -> None:
        given = request.headers.get("authorization", "")
        if not hmac.compare_digest(given.encode(), f"Bearer {self._secret_key}".encode()):
            raise forms.Refusal(401, {"message": "Invalid API Key provided."})

    def _answer(self, request: httpx.Request, body: bytes, now: float) -> tuple[int, bytes, bool]:
        key = request.headers.get("idempotency-key", "") if request.method == "POST" else ""
        if len(key) > 255:  # noqa: PLR2004 - documented length
            raise forms.Refusal(400, {"message": "Idempotency key is too long."})
        fingerprint = f"{request.url.path}\n{sorted(forms.pairs_of(body))}"
        scope = (self.connect.acting, key)
        kept = self._kept.get(scope)
        if key and kept and now - kept.at < _KEY_LIFE_S:
            if kept.fingerprint != fingerprint:
                message = "Keys for idempotent requests can only be used with the same parameters."
                raise forms.Refusal(400, {"message": message, "type": "idempotency_error"})
            return kept.status, kept.body, True
        self._cause = {"id": f"req_{uuid.uuid4().hex[:14]}", "idempotency_key": key or None}
        status, answer, stored = self._execute(request, body, now)
        content = objects.encode(answer)
        if key and stored:
            self._kept[scope] = _Kept(fingerprint, status, content, now)
        return status, content, False

    def _execute(self, request: httpx.Request, body: bytes, now: float) -> tuple[int, Json, bool]:
        verb, allowed, ids = self._route(request)
        params = forms.read(request, body, allowed)
        try:
            return 200, verb(*ids, params, now), True
        except forms.Refusal as refusal:
            if not refusal.stored:
                raise
            return refusal.status, {"error": refusal.error}, True

    def _route(
        self, request: httpx.Request
    ) -> tuple[Callable[..., Json], dict[str, str], tuple[str, ...]]:
        for method, pattern, allowed, verb in self._routes:
            match = re.fullmatch(pattern.replace("{}", "([^/]+)"), request.url.path)
            if match and method == request.method:
                return verb, allowed, match.groups()
        message = f"Unrecognized request URL ({request.method}: {request.url.path})."
        raise forms.Refusal(404, {"message": message})

    # PaymentIntents.

    def _create_intent(self, params: Json, now: float) -> Json:
        forms.require(params, "amount", "currency")
        forms.check_amount(params["amount"], params["currency"])
        types = params.get("payment_method_types", ["card"])
        outcome = self._check_method(params, types)
        methods.check_divided(params, params["amount"])
        confirmed = params.get("confirm", False)
        if confirmed and outcome is None:
            raise forms.unpayable()
        intent = objects.new_intent(params, types, now)
        self._intents[intent["id"]] = intent
        self._emit("payment_intent.created", intent, now)
        if confirmed:
            self._confirm(intent, outcome or "", params, now)
        return self._shown(intent, params.get("expand", []))

    def _check_method(self, params: Json, types: list[str]) -> str | None:
        token = params.get("payment_method")
        if "payment_method_data" in params:
            methods.check_data(params)
            methods.check_captured(params["payment_method_data"]["type"], params)
            return "action"
        if token is None:
            return None
        saved = self.setups.methods.get(token)
        kind, outcome = (saved["type"], "ok") if saved else methods.known(token)
        if kind not in types:
            message = f"The PaymentMethod provided ({kind}) is not allowed for this PaymentIntent."
            raise forms.Refusal(400, {"message": message, "param": "payment_method"})
        methods.check_captured(kind, params)
        if saved:
            methods.check_attached(saved, params)
            return outcome
        methods.check_owner(token, params)
        methods.check_mandate(kind, params)
        return outcome

    def _confirm_intent(self, intent_id: str, params: Json, now: float) -> Json:
        intent = self._known_intent(intent_id)
        if intent["status"] not in {"requires_payment_method", "requires_confirmation"}:
            raise objects.unexpected(intent, "confirmed")
        known = {**intent, **params, "confirm": True}
        outcome = self._check_method(known, intent["payment_method_types"])
        if outcome is None:
            raise forms.unpayable()
        intent["payment_method"] = known["payment_method"]
        self._confirm(intent, outcome, params, now)
        return self._shown(intent, params.get("expand", []))

    def _confirm(self, intent: Json, outcome: str, params: Json, now: float) -> None:
        if outcome == "action":
            intent["status"] = "requires_action"
            intent["next_action"] = methods.next_action(intent, params)
            self._emit("payment_intent.requires_action", intent, now)
        elif methods.is_debit(intent):
            intent["status"] = "processing"
            self._emit("payment_intent.processing", intent, now)
            self._later(now, lambda at: self._debit(intent, outcome, at))
        elif outcome == "ok":
            self._charge(intent, now)
        else:
            code = outcome if outcome in _OWN_CODE else "card_declined"
            self._fail(intent, code, None if outcome in _OWN_CODE else outcome, now)
            raise forms.Refusal(
                402,
                {
                    **intent["last_payment_error"],
                    "charge": intent["latest_charge"],
                    "payment_intent": deepcopy(intent),
                },
                stored=True,
            )

    def _debit(self, intent: Json, outcome: str, now: float) -> None:
        if outcome == "ok":
            self._charge(intent, now)
        else:
            self._fail(intent, "payment_method_provider_decline", outcome, now)

    def _charge(self, intent: Json, now: float) -> None:
        charge = objects.new_charge(intent, now)
        self._charges[charge["id"]] = charge
        intent["latest_charge"] = charge["id"]
        if intent["capture_method"] == "manual":
            intent.update(status="requires_capture", amount_capturable=intent["amount"])
            self._effects["authorisation"][objects.our_id(intent)] += 1
            self._emit("payment_intent.amount_capturable_updated", intent, now)
        else:
            self._collect(intent, charge, intent["amount"], now)
        self._emit("charge.succeeded", charge, now)

    def _collect(self, intent: Json, charge: Json, amount: int, now: float) -> None:
        intent.update(status="succeeded", amount_capturable=0, amount_received=amount)
        charge.update(
            captured=True, amount_captured=amount, amount_refunded=intent["amount"] - amount
        )
        self._effects["charge"][objects.our_id(intent)] += 1
        self._emit("payment_intent.succeeded", intent, now)

    def _fail(self, intent: Json, code: str, reason: str | None, now: float) -> None:
        error = {"type": "card_error", "code": code, "message": "The payment was declined."}
        if reason:
            error["decline_code"] = reason
        charge = objects.new_charge(intent, now)
        charge.update(paid=False, status="failed", failure_code=code)
        self._charges[charge["id"]] = charge
        intent.update(
            status="requires_payment_method",
            payment_method=None,
            latest_charge=charge["id"],
            last_payment_error=error,
        )
        self._emit("payment_intent.payment_failed", intent, now)
        self._emit("charge.failed", charge, now)

    def _capture_intent(self, intent_id: str, params: Json, now: float) -> Json:
        intent = self._known_intent(intent_id)
        if intent["status"] != "requires_capture":
            raise objects.unexpected(intent, "captured")
        capturable: int = intent["amount_capturable"]
        amount: int = params.get("amount_to_capture", capturable)
        forms.check_unit(amount, intent["currency"], "amount_to_capture")
        if amount > capturable:
            message = "The amount to capture is greater than the amount that can be captured."
            raise forms.Refusal(
                400,
                {"code": "amount_too_large", "param": "amount_to_capture", "message": message},
                stored=True,
            )
        divided = {"transfer_data": intent["transfer_data"]} if intent["transfer_data"] else {}
        methods.check_divided({**params, **divided}, amount)
        intent["application_fee_amount"] = params.get(
            "application_fee_amount", intent["application_fee_amount"]
        )
        intent["metadata"].update(params.get("metadata", {}))
        charge = self._charges[intent["latest_charge"]]
        self._collect(intent, charge, amount, now)
        self._emit("charge.captured", charge, now)
        return self._shown(intent, params.get("expand", []))

    def _cancel_intent(self, intent_id: str, params: Json, now: float) -> Json:
        intent = self._known_intent(intent_id)
        if intent["status"] in {"succeeded", "canceled", "processing"}:
            raise objects.unexpected(intent, "canceled")
        if intent["status"] == "requires_capture":
            charge = self._charges[intent["latest_charge"]]
            charge.update(refunded=True, amount_refunded=charge["amount"])
            self._emit("charge.refunded", charge, now)
        intent.update(
            status="canceled",
            amount_capturable=0,
            canceled_at=int(now),
            cancellation_reason=params.get("cancellation_reason"),
        )
        self._emit("payment_intent.canceled", intent, now)
        return self._shown(intent, params.get("expand", []))

    def _read_intent(self, intent_id: str, params: Json, _now: float) -> Json:
        return self._shown(self._known_intent(intent_id), params.get("expand", []))

    def _list_intents(self, params: Json, _now: float) -> Json:
        newest_first = list(reversed(self._intents.values()))
        page = forms.page_of(newest_first, params, "/v1/payment_intents")
        expand = [name.removeprefix("data.") for name in params.get("expand", [])]
        return {**page, "data": [self._shown(intent, expand) for intent in page["data"]]}

    def _search_intents(self, params: Json, now: float) -> Json:
        forms.require(params, "query")
        wanted = forms.search_terms(params["query"])
        indexed = now - self._webhooks.plan.search_lag_s
        hits = [
            intent
            for intent in reversed(self._intents.values())
            if intent["created"] <= indexed and wanted.items() <= intent["metadata"].items()
        ]
        limit, first = forms.limit_of(params), forms.offset_of(params)
        expand = [name.removeprefix("data.") for name in params.get("expand", [])]
        more = len(hits) > first + limit
        return {
            "object": "search_result",
            "url": "/v1/payment_intents/search",
            "has_more": more,
            "next_page": str(first + limit) if more else None,
            "data": [self._shown(intent, expand) for intent in hits[first : first + limit]],
        }

    def _known_intent(self, intent_id: str) -> Json:
        if intent_id not in self._intents:
            raise forms.missing("intent", intent_id, status=404)
        return self._intents[intent_id]

    def _shown(self, intent: Json, expand: list[str]) -> Json:
        shown = deepcopy(intent)
        for name in expand:
            if name == "latest_charge" and intent["latest_charge"]:
                shown["latest_charge"] = deepcopy(self._charges[intent["latest_charge"]])
        return shown

    # Refunds.

    def _create_refund(self, params: Json, now: float) -> Json:
        intent = self._refundable(params)
        methods.check_reversed(params, intent)
        charge = self._charges[intent["latest_charge"]]
        left = charge["amount"] - charge["amount_refunded"]
        amount = params.get("amount", left)
        forms.check_unit(amount, intent["currency"], "amount")
        if left == 0:
            message = f"Charge {charge['id']} has already been refunded."
            error = {"code": "charge_already_refunded", "message": message}
            raise forms.Refusal(400, error, stored=True)
        if amount > left:
            message = "Refund amount is greater than unrefunded amount on charge."
            raise forms.Refusal(400, {"message": message, "param": "amount"}, stored=True)
        refund = objects.new_refund(intent, params, amount, now)
        self._refunds[refund["id"]] = refund
        charge["amount_refunded"] += amount
        charge["refunded"] = charge["amount_refunded"] == charge["amount"]
        self._effects["refund"][refund["metadata"].get("refund_id", refund["id"])] += 1
        self._emit("refund.created", refund, now)
        self._emit("charge.refunded", charge, now)
        if refund["status"] != "succeeded":
            self._later(now, lambda at: self._paid(refund, at))
        return deepcopy(refund)

    def _refundable(self, params: Json) -> Json:
        charge = self._charges.get(params.get("charge", ""), {})
        intent_id = params.get("payment_intent") or charge.get("payment_intent")
        if not intent_id:
            message = "One of the following params should be provided: payment_intent or charge."
            raise forms.Refusal(400, {"message": message})
        if intent_id not in self._intents:
            raise forms.missing("payment_intent", intent_id)
        intent = self._intents[intent_id]
        if intent["status"] != "succeeded":
            message = "This PaymentIntent does not have a successful charge to refund."
            raise forms.Refusal(400, {"message": message}, stored=True)
        return intent

    def _paid(self, refund: Json, now: float) -> None:
        if refund["status"] != "canceled":
            refund["status"] = "succeeded"
            self._emit("refund.updated", refund, now)

    def _read_refund(self, refund_id: str, _params: Json, _now: float) -> Json:
        if refund_id not in self._refunds:
            raise forms.missing("refund", refund_id, status=404)
        return deepcopy(self._refunds[refund_id])

    def _list_refunds(self, params: Json, _now: float) -> Json:
        wanted = {name: params[name] for name in ("payment_intent", "charge") if name in params}
        hits = [r for r in reversed(self._refunds.values()) if wanted.items() <= r.items()]
        return deepcopy(forms.page_of(hits, params, "/v1/refunds"))

    # Events and their deliveries.

    def _read_event(self, event_id: str, _params: Json, _now: float) -> Json:
        for event in self._webhooks.events:
            if event["id"] == event_id:
                return deepcopy(event)
        raise forms.missing("id", event_id, status=404)

    def _list_events(self, params: Json, _now: float) -> Json:
        types = {*params.get("types", []), *([params["type"]] if "type" in params else [])}
        hits = [e for e in reversed(self._webhooks.events) if not types or e["type"] in types]
        return deepcopy(forms.page_of(hits, params, "/v1/events"))

    def _emit(self, kind: str, thing: Json, now: float) -> None:
        self._webhooks.emit(kind, thing, self._cause, now)

    def _later(self, now: float, finish: Callable[[float], None]) -> None:
        self._settling.append((now + self._webhooks.plan.settle_s, finish))

    def _settle(self, now: float) -> None:
        ready = [one for one in self._settling if one[0] <= now]
        self._settling = [one for one in self._settling if one[0] > now]
        self._cause = {"id": None, "idempotency_key": None}
        for at, finish in sorted(ready, key=lambda one: one[0]):
            finish(at)
