"""Answers given under an Idempotency-Key, kept with the effect in one transaction.

Source: IETF draft-ietf-httpapi-idempotency-key-header-06.
"""

import hashlib
from collections.abc import Mapping
from typing import Final

import msgspec

from gateway.errors import Rejected, Unavailable
from gateway.runtime.database import Connection

# Whoever holds a key for longer has died; the next repetition answers in its place.
_HELD_S: Final = 60


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """A response as it was sent, byte for byte."""

    status: int
    headers: Mapping[str, str] = {}
    body: bytes = b""


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """An Idempotency-Key with all that it is bound to.

    Attributes:
        fingerprint: SHA-256 of the request's body.
    """

    tenant: str
    client: str
    operation: str
    value: str
    fingerprint: bytes

    @classmethod
    def of(cls, *, tenant: str, client: str, operation: str, value: str, body: bytes) -> "Key":
        """The key of a request."""
        return cls(
            tenant=tenant,
            client=client,
            operation=operation,
            value=value,
            fingerprint=hashlib.sha256(body).digest(),
        )


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What a key stands for already.

    Attributes:
        business_id: What the first request made.
        answer: What it was answered; None where its process died before it said.
    """

    business_id: str
    answer: Answer | None


async def seize(
    connection: Connection, key: Key, *, business_id: str, days: int, answer: Answer | None
) -> Known | None:
    """Take the key for a new request, in the transaction of its effect.

    Args:
        answer: What the request will be answered, where that is known already.

    Returns:
        None where the key is new or was forgotten; else what it stands for.

    Raises:
        Unavailable: The first request is under way (code ``in_flight``).
        Rejected: The key was used with another body (code ``key_reused``).
    """
    text = f"{key.tenant}\x1f{key.client}\x1f{key.operation}\x1f{key.value}"
    lock = hashlib.sha256(text.encode()).digest()
    found = await connection.execute(
        "select pg_try_advisory_xact_lock(%s)",
        (int.from_bytes(lock[:8], "big", signed=True),),
    )
    row = await found.fetchone()
    if row is None or not row[0]:
        raise Unavailable("The same request is under way.", code="in_flight", retry_after_s=1)
    done = await connection.execute(
        "insert into headrace.idempotency (tenant, client, operation, key, fingerprint,"
        " business_id, status, headers, body, locked_until, expires_at)"
        " values (%s, %s, %s, %s, %s, %s, %s, %s, %s, now() + make_interval(secs => %s),"
        " now() + make_interval(days => %s))"
        " on conflict (tenant, client, operation, key) do update set"
        " fingerprint = excluded.fingerprint, business_id = excluded.business_id,"
        " status = excluded.status, headers = excluded.headers, body = excluded.body,"
        " locked_until = excluded.locked_until, expires_at = excluded.expires_at"
        " where idempotency.expires_at < now()",
        (
            *(key.tenant, key.client, key.operation, key.value, key.fingerprint),
            business_id,
            answer.status if answer else None,
            msgspec.json.encode(answer.headers).decode() if answer else None,
            answer.body if answer else None,
            _HELD_S,
            days,
        ),
    )
    return None if done.rowcount else await _known(connection, key)


async def _known(connection: Connection, key: Key) -> Known | None:
    found = await connection.execute(
        "select fingerprint, business_id, status, headers, body, locked_until > now()"
        " from headrace.idempotency"
        " where tenant = %s and client = %s and operation = %s and key = %s",
        (key.tenant, key.client, key.operation, key.value),
    )
    row = await found.fetchone()
    if row is None:
        raise Unavailable("The same request is under way.", code="in_flight", retry_after_s=1)
    fingerprint, business_id, status, headers, body, held = row
    if bytes(fingerprint) != key.fingerprint:
        raise Rejected("The key was used for a request with another body.", code="key_reused")
    if status is None and held:
        raise Unavailable("The same request is under way.", code="in_flight", retry_after_s=1)
    answer = None if status is None else Answer(status=status, headers=headers, body=bytes(body))
    return Known(business_id=business_id, answer=answer)


async def keep(connection: Connection, key: Key, answer: Answer) -> None:
    """Keep what the request was answered, unless somebody else has answered in its place."""
    await connection.execute(
        "update headrace.idempotency set status = %s, headers = %s, body = %s"
        " where tenant = %s and client = %s and operation = %s and key = %s and status is null",
        (
            answer.status,
            msgspec.json.encode(answer.headers).decode(),
            answer.body,
            *(key.tenant, key.client, key.operation, key.value),
        ),
    )


async def forget_expired(connection: Connection) -> int:
    """Delete keys that are past their time, a thousand at most; returns how many."""
    done = await connection.execute(
        "delete from headrace.idempotency where ctid in (select ctid from headrace.idempotency"
        " where expires_at < now() limit 1000)"
    )
    return done.rowcount
