"""Taking: a request that changes something, once, whatever is repeated and wherever it dies.

read ── seize the Idempotency-Key ── change and start the flow ── answer, kept with the key
                    one transaction
"""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

import msgspec
from opentelemetry import trace

from gateway.api import hot
from gateway.api.facade import Facade, require_json
from gateway.errors import Rejected
from gateway.runtime import answers, engine, telemetry
from gateway.runtime.answers import Answer
from gateway.runtime.documents import Unit
from gateway.runtime.hub import Tenant

_KEY: Final = re.compile(r'(?P<quote>"?)(?P<key>[\x21\x23-\x7e]{1,255})(?P=quote)')
_WAIT: Final = re.compile(r'(?:^|[;,\s])wait\s*=\s*"?(\d{1,9})"?(?:$|[;,\s])', re.IGNORECASE)
_WAIT_MOST_S: Final = 30


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request that wants something changed.

    Attributes:
        key: The Idempotency-Key with all that it is bound to.
        wait_s: Seconds that the client prefers to wait, RFC 7240.
        causation_id: Of the request.
    """

    tenant: Tenant
    key: answers.Key
    body: bytes
    wait_s: int
    traceparent: str
    causation_id: str

    async def start(
        self, unit: Unit, kind: str, queue: str, business_id: str, *, subject: str = ""
    ) -> None:
        """Start a flow in the transaction of the request."""
        await engine.start(
            unit.connection,
            kind=kind,
            queue=queue,
            tenant=self.tenant.name,
            business_id=business_id,
            mapping_set=self.tenant.mapping_set,
            traceparent=self.traceparent,
            subject=subject,
        )


async def read(facade: Facade, request: hot.Request, operation: str) -> Asked:
    """What was asked, with its key.

    Args:
        operation: Method and path; the same key may be used for each.

    Raises:
        Rejected: Nobody we know, no JSON, or no key.
    """
    caller = facade.caller(request)
    content_type = request.headers.get("content-type", "")
    announced = request.headers.get("content-length", "0")
    if content_type or announced != "0":
        require_json(content_type)
    value = _idempotency_key(request.all("idempotency-key"))
    body = await request.body()
    return Asked(
        tenant=facade.hub.tenant(caller.tenant),
        key=answers.Key.of(
            tenant=caller.tenant,
            client=caller.client,
            operation=operation,
            value=value,
            body=body,
        ),
        body=body,
        wait_s=_wait(request.headers.get("prefer", "")),
        traceparent=telemetry.traceparent(trace.get_current_span().get_span_context()),
        causation_id=str(request.scope.get("headrace_request_id", "")),
    )


async def take(
    facade: Facade,
    asked: Asked,
    *,
    business_id: str,
    begin: Callable[[Unit], Awaitable[Answer]],
    answer: Answer | None = None,
    later: Callable[[str], Awaitable[tuple[Answer, bool]]] | None = None,
) -> Answer:
    """Do what was asked in one transaction, or answer as before.

    Args:
        business_id: In whose timeline it stands.
        begin: Makes the change, starts flows, and says what is answered.
        answer: The same where it is known beforehand; spares a statement.
        later: The answer to who waits, by business id, and whether it is final.

    Raises:
        Rejected: The key was used with another body (code ``key_reused``).
        Unavailable: The same request is under way (code ``in_flight``).
    """
    waits = later is not None and asked.wait_s > 0
    async with facade.database.transaction() as connection:
        known = await answers.seize(
            connection,
            asked.key,
            business_id=business_id,
            days=facade.settings.idempotency_days,
            answer=None if waits else answer,
        )
        if known is None:
            unit = Unit(
                connection,
                tenant=asked.tenant.name,
                business_id=business_id,
                traceparent=asked.traceparent,
                causation_id=asked.causation_id,
                mapping_set=asked.tenant.mapping_set,
            )
            made = await begin(unit)
            if answer is None and not waits:
                await answers.keep(connection, asked.key, made)
    if known is not None and known.answer is not None:
        return _replayed(known.answer)
    if later is not None and (waits or known is not None):
        made = await _settled(later, known.business_id if known else business_id, asked.wait_s)
        async with facade.database.transaction() as connection:
            await answers.keep(connection, asked.key, made)
    return made if known is None else _replayed(made)


async def _settled(
    later: Callable[[str], Awaitable[tuple[Answer, bool]]], business_id: str, wait_s: int
) -> Answer:
    """The final answer, or the one of when the client has waited enough."""
    until = time.monotonic() + wait_s
    while True:
        answer, is_final = await later(business_id)
        if is_final or time.monotonic() >= until:
            return answer
        await asyncio.sleep(0.1)


def _idempotency_key(headers: list[str]) -> str:
    """The only key, quoted as the draft says or bare as others do."""
    match = _KEY.fullmatch(headers[0].strip()) if len(headers) == 1 else None
    if match is None:
        raise Rejected(
            "Send one Idempotency-Key with 1 to 255 printable characters.", code="key_missing"
        )
    return match.group("key")


def _wait(prefer: str) -> int:
    """Seconds the client prefers to wait, RFC 7240."""
    match = _WAIT.search(prefer)
    return min(int(match.group(1)), _WAIT_MOST_S) if match else 0


def _replayed(answer: Answer) -> Answer:
    headers = {**answer.headers, "Idempotency-Replayed": "true"}
    return msgspec.structs.replace(answer, headers=headers)
