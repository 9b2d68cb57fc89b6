"""The webhook receiver: verify, keep, answer. What it means is decided later."""

import hashlib
import re
import time
from typing import Any, Final

import structlog
from litestar import Request, Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from opentelemetry import metrics, trace

from gateway.api.facade import Facade
from gateway.errors import HeadraceError, Rejected
from gateway.model.event import ProviderEvent
from gateway.ports.webhooks import Webhooks
from gateway.runtime import telemetry
from gateway.runtime.inbox import Delivery, dedupe_key

_log = structlog.get_logger()
_PLAIN: Final = re.compile(r"[\x20-\x7e]{1,255}")
_RECEIVED = metrics.get_meter("headrace").create_counter(
    "headrace.webhooks.received", description="Webhook deliveries by outcome"
)


@post("/webhooks/{tenant:str}/{system:str}", status_code=200)
async def receive_webhook(
    request: Request[Any, Any, Any],
    tenant: FromPath[str],
    system: FromPath[str],
    facade: NamedDependency[Facade],
) -> Response[bytes]:
    """Take a webhook delivery; success is answered only after the commit, and for repetitions."""
    receiver = _receiver(facade, tenant, system)
    body = await request.body()
    headers = {name.lower(): value for name, value in request.headers.items()}
    try:
        receiver.verify(headers, body, now=time.time())
    except Rejected as error:
        _count(tenant, system, "refused")
        _log.warning("webhook.refused", tenant=tenant, system=system, code=error.code)
        raise Rejected("The signature is not accepted.", code="signature") from error
    events = _read(receiver, body)
    traceparent = telemetry.traceparent(trace.get_current_span().get_span_context())
    new = False
    for event in events:
        new |= await facade.inbox.put(
            Delivery(
                tenant=tenant,
                system=system,
                dedupe_key=dedupe_key(event.event_id),
                body=body,
                traceparent=traceparent,
                event_type=event.event_type if _PLAIN.fullmatch(event.event_type) else "",
            )
        )
    _count(tenant, system, "new" if new else "repeated")
    return Response(b"", status_code=200)


def _receiver(facade: Facade, tenant: str, system: str) -> Webhooks:
    if tenant in facade.tenants:
        receiver = facade.hub.tenant(tenant).receivers.get(system)
        if receiver is not None:
            return receiver
    raise Rejected("No such webhook endpoint.", code="not_found")


def _read(receiver: Webhooks, body: bytes) -> tuple[ProviderEvent, ...]:
    """The events of a genuine delivery; one that cannot be read is kept whole, for a person."""
    try:
        events = receiver.read(body)
    except HeadraceError:
        events = ()
    return events or (
        ProviderEvent(event_id=hashlib.sha256(body).hexdigest(), event_type="unreadable"),
    )


def _count(tenant: str, system: str, outcome: str) -> None:
    _RECEIVED.add(
        1, {"headrace.tenant": tenant, "headrace.system": system, "headrace.outcome": outcome}
    )
