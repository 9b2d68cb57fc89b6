"""The webhook receiver: verify, keep, answer. What it means is decided later."""

import asyncio
import time
from typing import Any, Final

import structlog
from litestar import HttpMethod, Request, Response, route
from litestar.di import NamedDependency
from litestar.exceptions import MethodNotAllowedException
from litestar.params import FromPath
from opentelemetry import metrics, trace

from gateway.api.facade import Facade
from gateway.errors import Rejected
from gateway.model.event import ProviderEvent
from gateway.ports.notification import Answer, Notification, Terms, Trust
from gateway.ports.webhooks import Webhooks
from gateway.runtime import telemetry
from gateway.runtime.hub import Tenant
from gateway.runtime.inbox import delivery_of, events_of, plain

_log = structlog.get_logger()
_METER: Final = metrics.get_meter("headrace")
_RECEIVED = _METER.create_counter(
    "headrace.webhooks.received", description="Webhook deliveries by outcome"
)
_UNKNOWN = _METER.create_counter(
    "headrace.webhooks.unknown", description="Events of types that the adapter does not know"
)


@route("/webhooks/{tenant:str}/{system:str}", http_method=[HttpMethod.GET, HttpMethod.POST])
async def receive_webhook(
    request: Request[Any, Any, Any],
    tenant: FromPath[str],
    system: FromPath[str],
    facade: NamedDependency[Facade],
) -> Response[bytes]:
    """Take a webhook delivery; success is answered only after the commit, and for repetitions."""
    wired, receiver = _receiver(facade, tenant, system)
    _require_method(request.scope["method"], receiver.terms)
    notification = await _notification(request)
    challenges = wired.challenges.get(system)
    question = challenges and challenges.answer_challenge(notification)
    if question:
        _count(tenant, system, "challenge")
        return _response(question)
    try:
        trust = await _verify(facade, wired, system, notification)
    except Rejected as error:
        _count(tenant, system, "refused")
        _log.warning("webhook.refused", tenant=tenant, system=system, code=error.code)
        if receiver.terms.refused:
            return _response(receiver.terms.refused)
        raise Rejected("The signature is not accepted.", code="signature") from error
    events = events_of(receiver, notification)
    _report_unknown(tenant, system, events)
    new = await _keep(facade, tenant, system, notification, trust, events)
    _count(tenant, system, "new" if new else "repeated")
    return _response(receiver.terms.kept)


def _receiver(facade: Facade, tenant: str, system: str) -> tuple[Tenant, Webhooks]:
    if tenant in facade.tenants:
        wired = facade.hub.tenant(tenant)
        receiver = wired.receivers.get(system)
        if receiver is not None:
            return wired, receiver
    raise Rejected("No such webhook endpoint.", code="not_found")


def _require_method(method: str, terms: Terms) -> None:
    """Only as the provider calls; a GET that nobody expects is no delivery."""
    if method not in terms.methods:
        raise MethodNotAllowedException(headers={"Allow": ", ".join(sorted(terms.methods))})


async def _notification(request: Request[Any, Any, Any]) -> Notification:
    """The request as it came, before anything has interpreted it."""
    scope: Any = request.scope
    path = scope.get("raw_path") or scope["path"].encode()
    query = scope.get("query_string", b"")
    return Notification(
        method=scope["method"],
        target=(path.partition(b"?")[0] + (b"?" + query if query else b"")).decode("latin-1"),
        headers=tuple(
            (name.decode("latin-1").lower(), value.decode("latin-1"))
            for name, value in scope["headers"]
        ),
        body=await request.body(),
    )


async def _verify(facade: Facade, wired: Tenant, system: str, notification: Notification) -> Trust:
    source = wired.key_sources.get(system)
    if source is not None:
        notification = await facade.keyring.complete(source, notification)
    return wired.receivers[system].verify(notification, now=time.time())


async def _keep(
    facade: Facade,
    tenant: str,
    system: str,
    notification: Notification,
    trust: Trust,
    events: tuple[ProviderEvent, ...],
) -> bool:
    """Commit a row for each event, all at once; whether any is new."""
    traceparent = telemetry.traceparent(trace.get_current_span().get_span_context())
    terms = facade.hub.tenant(tenant).receivers[system].terms
    rows = [
        delivery_of(
            event,
            notification,
            tenant=tenant,
            system=system,
            terms=terms,
            trust=trust,
            traceparent=traceparent,
        )
        for event in events
    ]
    if len(rows) == 1:
        return await facade.inbox.put(rows[0])
    return any(await asyncio.gather(*map(facade.inbox.put, rows)))


def _report_unknown(tenant: str, system: str, events: tuple[ProviderEvent, ...]) -> None:
    for event in events:
        if not event.known:
            _UNKNOWN.add(1, {"headrace.tenant": tenant, "headrace.system": system})
            _log.warning(
                "webhook.type_unknown",
                tenant=tenant,
                system=system,
                event_type=plain(event.event_type),
            )


def _response(answer: Answer) -> Response[bytes]:
    headers = dict(answer.headers)
    return Response(answer.body, status_code=answer.status, headers=headers)


def _count(tenant: str, system: str, outcome: str) -> None:
    _RECEIVED.add(
        1, {"headrace.tenant": tenant, "headrace.system": system, "headrace.outcome": outcome}
    )
