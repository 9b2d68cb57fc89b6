"""GoCardless in memory: mandates, payments, refunds, events, idempotency, signed webhooks.

Written from GoCardless's documentation and not from the adapter: nothing is imported from what
talks to GoCardless, so that one misreading cannot hide the other.

Source: developer.gocardless.com/api-reference, version 2015-07-06, the fixtures and docstrings of
gocardless_pro 3.22.0; read 2026-11.
"""

import re
import uuid
from collections import Counter
from collections.abc import Callable
from typing import Any, Final, TypeAlias

import httpx
import msgspec

from adapters.gocardless import simulator_resources as resources
from adapters.gocardless import simulator_rules as rules
from adapters.gocardless.simulator_mandates import PAGE, SCENARIOS, Mandates
from adapters.gocardless.simulator_rules import Refusal
from adapters.gocardless.simulator_webhooks import Webhooks

Json: TypeAlias = dict[str, Any]

_KEY_LIFE_S: Final = 30 * 86_400
_RETRIES: Final = 3
_REFUNDS: Final = 5
_LIVE: Final = frozenset(
    {"pending_customer_approval", "pending_submission", "submitted", "confirmed", "paid_out"}
)


class GoCardlessSimulator:
    """One creditor.

    Args:
        webhook_url: Where deliveries go; empty for nowhere, the events are kept all the same.
        webhook_secret: Of the endpoint.
        access_token: The only one that is let in.
        plan: Fields of ``WebhookPlan``.
    """

    def __init__(
        self,
        *,
        webhook_url: str = "",
        webhook_secret: str = "simulated_webhook",  # noqa: S107 - invented, opens nothing
        access_token: str = "sandbox_simulated",  # noqa: S107 - the same
        **plan: Any,
    ) -> None:
        self._webhooks = Webhooks(webhook_url, webhook_secret)
        self._access_token = access_token
        self.mandates = Mandates(self._told)
        self._payments: dict[str, Json] = {}
        self._refunds: dict[str, Json] = {}
        self._retries: Counter[str] = Counter()
        self._keys: dict[tuple[str, str], tuple[str, float]] = {}
        self._due: list[tuple[float, str, str]] = []
        self.configure(**plan)
        self._routes: list[tuple[str, str, Callable[..., Json]]] = [
            ("POST", "/payments", self._create_payment),
            ("GET", "/payments", self._list_payments),
            ("GET", "/payments/{}", self._read_payment),
            ("PUT", "/payments/{}", self._update_payment),
            ("POST", "/payments/{}/actions/cancel", self._cancel_payment),
            ("POST", "/payments/{}/actions/retry", self._retry_payment),
            ("POST", "/refunds", self._create_refund),
            ("GET", "/refunds", self._list_refunds),
            ("GET", "/refunds/{}", self._read_refund),
            ("POST", "/billing_requests", self._create_request),
            ("GET", "/billing_requests", self.mandates.list_requests),
            ("GET", "/billing_requests/{}", self.mandates.read_request),
            ("POST", "/billing_requests/{}/actions/cancel", self.mandates.cancel_request),
            ("POST", "/billing_request_flows", self.mandates.create_page),
            ("GET", "/mandates/{}", self.mandates.read_mandate),
            ("POST", "/mandates/{}/actions/cancel", self.mandates.cancel_mandate),
            ("GET", "/events", self._list_events),
            ("GET", "/events/{}", self._read_event),
            ("POST", "/scenario_simulators/{}/actions/run", self._run_scenario),
        ]

    # What the world outside calls.

    def configure(self, **plan: Any) -> None:
        """Change the plan from here on; fields that are not named stay."""
        self._webhooks.configure(**plan)

    def handle(self, request: httpx.Request, *, now: float) -> httpx.Response:
        """Answer as GoCardless does."""
        request.read()
        self._advance(now)
        try:
            if request.url.path == PAGE:
                signed = self.sign(request.url.params.get("id", ""), now=now)
                return _reply(request, 200, {"mandate": signed})
            rules.admit(request, self._access_token)
            verb, ids = self._route(request)
            answer = verb(*ids, request, now)
            status = 201 if request.method == "POST" and not ids else 200
        except Refusal as refusal:
            status, answer = refusal.status, {"error": refusal.error}
        return _reply(request, status, answer)

    def refuse(self, request: httpx.Request, status: int) -> httpx.Response:
        """The error with this status; nothing happens. There is no lock, so 423 is a limit."""
        shown = 429 if status == 423 else status  # noqa: PLR2004 - HTTP statuses
        return _reply(request, shown, {"error": rules.error_of(shown)})

    def due(self, *, now: float) -> list[httpx.Request]:
        """The deliveries whose time has come, signed; each is handed out once."""
        self._advance(now)
        return self._webhooks.due(now)

    def effects(self) -> dict[str, dict[str, int]]:
        """How many payments, refunds and mandates there are that (can) move money, by our ids."""
        payments = Counter(
            one["metadata"].get("payment_id", one["id"])
            for one in self._payments.values()
            if one["status"] in _LIVE
        )
        refunds = Counter(
            one["metadata"].get("refund_id", one["id"])
            for one in self._refunds.values()
            if resources.given(one)
        )
        return {
            "payment": dict(payments),
            "refund": dict(refunds),
            "mandate": self.mandates.effects(),
        }

    def sign(self, page_or_request: str, *, now: float, outcome: str = "paid") -> str:
        """The payer agrees to a mandate; its id.

        Args:
            outcome: What becomes of its payments; see ``OUTCOMES``.
        """
        mandate = self.mandates.sign(page_or_request, now, outcome=outcome)
        self._due.append((now + self._plan.submit_s, mandate, "submit"))
        self._due.append((now + self._plan.settle_s, mandate, "activate"))
        return mandate

    def approve(self, payment_id: str, *, granted: bool, now: float) -> None:
        """The customer answers the mail of GoCardless; no API does that in its place."""
        self._step(payment_id, "grant" if granted else "deny", now)
        if granted:
            self._schedule(self._payments[payment_id], now)

    # Payments.

    def _create_payment(self, request: httpx.Request, now: float) -> Json:
        given = rules.body_of(request, "payments")
        self._check_key(request, "payments", now)
        mandate = rules.check_payment(given, self.mandates.known)
        payment = resources.new_payment(given, mandate, now)
        self._payments[payment["id"]] = payment
        self._keep_key(request, "payments", payment["id"], now)
        self._told(payment, "created", "payment_created", "api", now)
        if payment["status"] == "pending_submission":
            self._schedule(payment, now)
        return {"payments": payment}

    def _list_payments(self, request: httpx.Request, _now: float) -> Json:
        page = rules.page_of(
            [*reversed(self._payments.values())],
            request,
            {
                "mandate": lambda one: one["links"]["mandate"],
                "status": lambda one: one["status"],
                "currency": lambda one: one["currency"],
            },
        )
        return {"payments": page.items, "meta": page.meta}

    def _read_payment(self, payment_id: str, _request: httpx.Request, _now: float) -> Json:
        return {"payments": rules.known(self._payments, payment_id)}

    def _update_payment(self, payment_id: str, request: httpx.Request, _now: float) -> Json:
        payment = rules.known(self._payments, payment_id)
        given = rules.body_of(request, "payments")
        rules.check_fields(given, {"metadata", "retry_if_possible"})
        rules.check_metadata(given)
        payment.update(given)
        return {"payments": payment}

    def _cancel_payment(self, payment_id: str, request: httpx.Request, now: float) -> Json:
        payment = rules.known(self._payments, payment_id)
        rules.body_of(request, "data", required=False)
        if payment["status"] != "pending_submission":
            raise rules.invalid_state("cancellation_failed")
        self._step(payment_id, "cancel", now)
        return {"payments": payment}

    def _retry_payment(self, payment_id: str, request: httpx.Request, now: float) -> Json:
        payment = rules.known(self._payments, payment_id)
        rules.body_of(request, "data", required=False)
        if payment["status"] != "failed" or self._retries[payment_id] == _RETRIES:
            raise rules.invalid_state("retry_failed")
        self._retries[payment_id] += 1
        self._step(payment_id, "retry", now)
        for at, step in ((self._plan.submit_s, "submit"), (self._plan.settle_s, "confirm")):
            self._due.append((now + at, payment_id, step))
        return {"payments": payment}

    # Refunds.

    def _create_refund(self, request: httpx.Request, now: float) -> Json:
        given = rules.body_of(request, "refunds")
        self._check_key(request, "refunds", now)
        payment = rules.check_refund(given, self._payments)
        others = [one for one in self._refunds.values() if one["links"]["payment"] == payment["id"]]
        if len(others) >= _REFUNDS:
            raise rules.invalid_state("number_of_refunds_exceeded")
        amount = int(given["amount"])
        total = payment["amount_refunded"] + amount
        if int(given["total_amount_confirmation"]) != total:
            raise rules.invalid_state("total_amount_confirmation_invalid")
        if total > payment["amount"]:
            raise rules.invalid("amount", "refunds", "is greater than what is left of the payment")
        refund = resources.new_refund(given, payment, now)
        self._refunds[refund["id"]] = refund
        payment["amount_refunded"] = total
        self._keep_key(request, "refunds", refund["id"], now)
        self._told(refund, "created", "payment_refunded", "api", now)
        self._due.append((now + self._plan.settle_s, refund["id"], "pay_refund"))
        return {"refunds": refund}

    def _list_refunds(self, request: httpx.Request, _now: float) -> Json:
        page = rules.page_of(
            [*reversed(self._refunds.values())],
            request,
            {
                "payment": lambda one: one["links"]["payment"],
                "mandate": lambda one: one["links"]["mandate"],
            },
        )
        return {"refunds": page.items, "meta": page.meta}

    def _read_refund(self, refund_id: str, _request: httpx.Request, _now: float) -> Json:
        return {"refunds": rules.known(self._refunds, refund_id)}

    # Mandates, events, scenarios.

    def _create_request(self, request: httpx.Request, now: float) -> Json:
        self._check_key(request, "billing_requests", now)
        made = self.mandates.create_request(request, now)
        self._keep_key(request, "billing_requests", made["billing_requests"]["id"], now)
        return made

    def _list_events(self, request: httpx.Request, _now: float) -> Json:
        page = rules.page_of(
            [*reversed(self._webhooks.events)],
            request,
            {
                "action": lambda one: one["action"],
                "payment": lambda one: one["links"].get("payment"),
                "refund": lambda one: one["links"].get("refund"),
                "mandate": lambda one: one["links"].get("mandate"),
                "billing_request": lambda one: one["links"].get("billing_request"),
                "resource_type": lambda one: one["resource_type"],
            },
        )
        return {"events": page.items, "meta": page.meta}

    def _read_event(self, event_id: str, _request: httpx.Request, _now: float) -> Json:
        return {"events": rules.known({one["id"]: one for one in self._webhooks.events}, event_id)}

    def _run_scenario(self, name: str, request: httpx.Request, now: float) -> Json:
        steps = rules.known({**resources.SCENARIOS, **SCENARIOS}, name)
        links = rules.body_of(request, "data").get("links", {})
        reference = links.get("resource", "")
        rules.known({**self._payments, **self._refunds, **self.mandates.known}, reference)
        self._due = [one for one in self._due if one[1] != reference]
        if not self._step(reference, steps[0], now):
            raise rules.invalid_state("invalid_state")
        for step in steps[1:]:
            self._step(reference, step, now)
        return {"scenario_simulators": {"id": name}}

    # Keys that were used, and time that passes.

    @property
    def _plan(self) -> Any:
        return self._webhooks.plan

    def _check_key(self, request: httpx.Request, name: str, now: float) -> None:
        made, at = self._keys.get((name, rules.key_of(request)), ("", 0.0))
        if made and now - at < _KEY_LIFE_S:
            raise rules.conflict(made)

    def _keep_key(self, request: httpx.Request, name: str, made: str, now: float) -> None:
        if rules.key_of(request):
            self._keys[name, rules.key_of(request)] = made, now

    def _route(self, request: httpx.Request) -> tuple[Callable[..., Json], tuple[str, ...]]:
        for method, pattern, verb in self._routes:
            match = re.fullmatch(pattern.replace("{}", "([^/]+)"), request.url.path)
            if match and method == request.method:
                return verb, match.groups()
        raise Refusal(404, rules.error_of(404))

    def _schedule(self, payment: Json, now: float) -> None:
        plan = self._plan
        outcome = self.mandates.known[payment["links"]["mandate"]].outcome
        times = (plan.submit_s, plan.settle_s, plan.payout_s, plan.return_s, plan.return_s)
        for after, step in zip(times, resources.OUTCOMES[outcome], strict=False):
            self._due.append((now + after, payment["id"], step))

    def _advance(self, now: float) -> None:
        ready = sorted((one for one in self._due if one[0] <= now), key=lambda one: one[0])
        self._due = [one for one in self._due if one[0] > now]
        for at, reference, step in ready:
            self._step(reference, step, at)

    def _step(self, reference: str, name: str, now: float) -> bool:
        """What happens to a thing; False where its state forbids it."""
        if reference in self.mandates.known:
            return self.mandates.step(reference, name, now)
        step = resources.STEPS[name]
        thing = self._payments.get(reference) or self._refunds[reference]
        if thing["status"] not in step.before:
            return False
        thing["status"] = step.after
        cause, retry = step.cause, {}
        if step.action == "failed" and reference in self._payments:
            cause = self.mandates.known[thing["links"]["mandate"]].cause or "test_failure"
            retry = {"will_attempt_retry": False}
        if not resources.given(thing) and reference in self._refunds:
            self._payments[thing["links"]["payment"]]["amount_refunded"] -= thing["amount"]
        self._told(thing, step.action, cause, step.origin, now, **retry)
        return True

    def _told(
        self, thing: Json, action: str, cause: str, origin: str, now: float, **more: Any
    ) -> None:
        self._webhooks.emit(resources.new_event(thing, action, cause, origin, now, **more), now)


def _reply(request: httpx.Request, status: int, answer: Json) -> httpx.Response:
    headers = {"Content-Type": "application/json", "X-Request-Id": str(uuid.uuid4())}
    if status == httpx.codes.TOO_MANY_REQUESTS:
        headers["RateLimit-Limit"], headers["RateLimit-Remaining"] = "1000", "0"
    content = msgspec.json.encode(answer)
    return httpx.Response(status, headers=headers, content=content, request=request)
