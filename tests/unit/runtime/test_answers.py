"""Answers under a key: taken in the transaction of the effect, kept once, forgotten in time."""

from contextlib import suppress

import msgspec
import psycopg
import pytest

from gateway.errors import Rejected, Unavailable
from gateway.runtime import answers
from gateway.runtime.answers import Answer, Key, Known
from gateway.runtime.database import Database

_ANSWER = Answer(status=202, headers={"Location": "/x", "Ü": "ß"}, body=b'{"a":1}\x00\xff')
_KEY = Key.of(tenant="acme", client="web", operation="POST /v1/orders", value="1", body=b"body")


async def seize(
    database: Database,
    key: Key = _KEY,
    *,
    business_id: str = "o-1",
    answer: Answer | None = _ANSWER,
) -> Known | None:
    async with database.transaction() as connection:
        return await answers.seize(connection, key, business_id=business_id, days=1, answer=answer)


async def test_new_key_is_taken_and_its_answer_kept_byte_by_byte(database: Database) -> None:
    """Status, headers and any bytes; the second request stands for the first one's effect."""
    assert await seize(database) is None

    assert Known(business_id="o-1", answer=_ANSWER) == await seize(database, business_id="o-2")


@pytest.mark.parametrize(
    "change", [{"tenant": "beta"}, {"client": "app"}, {"operation": "POST /x"}, {"value": "2"}]
)
async def test_key_is_bound_to_all_that_it_belongs_to(
    database: Database, change: dict[str, str]
) -> None:
    """Tenant, client, operation and value: another one of each is another key."""
    await seize(database)

    assert await seize(database, msgspec.structs.replace(_KEY, **change)) is None


async def test_parts_of_a_key_are_not_run_together(database: Database) -> None:
    """``a`` + ``bc`` is not ``ab`` + ``c``."""
    one = msgspec.structs.replace(_KEY, client="a", operation="bc")
    await seize(database, one)

    assert await seize(database, msgspec.structs.replace(_KEY, client="ab", operation="c")) is None


async def test_other_body_is_refused(database: Database) -> None:
    """Neither the old answer nor a new effect would be right."""
    await seize(database)
    other = Key.of(
        tenant="acme", client="web", operation="POST /v1/orders", value="1", body=b"another"
    )

    with pytest.raises(Rejected) as caught:
        await seize(database, other)
    assert "key_reused" == caught.value.code


async def test_rolled_back_effect_gives_its_key_back(database: Database) -> None:
    """Key and effect are one transaction: no effect, no key."""
    with suppress(ZeroDivisionError):
        async with database.transaction() as connection:
            await answers.seize(connection, _KEY, business_id="o-1", days=1, answer=_ANSWER)
            raise ZeroDivisionError

    assert await seize(database) is None


async def test_key_that_another_transaction_holds_is_in_flight(database: Database) -> None:
    """Nobody waits for a commit that may never come; another key is not held up."""
    async with database.transaction() as connection:
        await answers.seize(connection, _KEY, business_id="o-1", days=1, answer=_ANSWER)
        with pytest.raises(Unavailable) as caught:
            await seize(database)
        assert await seize(database, msgspec.structs.replace(_KEY, value="2")) is None

    assert ("in_flight", 1) == (caught.value.code, caught.value.retry_after_s)
    assert await seize(database) is not None


async def test_key_without_an_answer_is_in_flight_while_it_is_held(database: Database) -> None:
    """Then its process has died, and whoever comes next may answer in its place."""
    await seize(database, answer=None)
    with pytest.raises(Unavailable, match="under way"):
        await seize(database, answer=None)

    async with database.connection() as connection:
        await connection.execute("update headrace.idempotency set locked_until = now()")

    assert Known(business_id="o-1", answer=None) == await seize(database, answer=None)


async def test_first_answer_is_kept_and_no_other(database: Database) -> None:
    """Two may have answered in the place of a dead process; both saw the same effect."""
    await seize(database, answer=None)
    later = Answer(status=200, headers={}, body=b"later")
    async with database.connection() as connection:
        await answers.keep(connection, _KEY, _ANSWER)
        await answers.keep(connection, _KEY, later)

    assert Known(business_id="o-1", answer=_ANSWER) == await seize(database)


async def test_expired_key_is_new(database: Database) -> None:
    """It stands for the new effect from then on, whether it was swept away or not."""
    await seize(database)
    await _expire(database)

    assert await seize(database, business_id="o-2") is None
    assert Known(business_id="o-2", answer=_ANSWER) == await seize(database)


async def test_expired_keys_are_forgotten(database: Database) -> None:
    """Those and no others; how many is said."""
    await seize(database)
    await _expire(database)
    await seize(database, msgspec.structs.replace(_KEY, value="2"))

    async with database.connection() as connection:
        assert [1, 0] == [await answers.forget_expired(connection) for _ in range(2)]

    assert await seize(database, msgspec.structs.replace(_KEY, value="2")) is not None


async def _expire(database: Database) -> None:
    async with database.connection() as connection:
        await connection.execute(
            "update headrace.idempotency set expires_at = now() - '1 s'::interval"
        )


async def test_lost_connection_takes_no_key(database: Database) -> None:
    """The commit did not happen, so the next request is the first."""
    with suppress(psycopg.OperationalError):
        async with database.transaction() as connection:
            await answers.seize(connection, _KEY, business_id="o-1", days=1, answer=_ANSWER)
            await connection.execute("select pg_terminate_backend(pg_backend_pid())")

    assert await seize(database) is None
