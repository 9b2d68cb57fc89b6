"""One key, one effect: whatever is repeated, however often, by whom and after what."""

import asyncio
from collections import Counter

import httpx
import pytest

from tests.api.front import Front, new_order, problem_of, until

_ONE = {"document": 1, "flow": 1, "idempotency": 1, "outbox": 1}


async def effects(front: Front) -> dict[str, int]:
    """Rows that orders leave before any worker runs."""
    stored = await front.stored()
    return {table: stored[table] for table in _ONE}


def told(answer: httpx.Response) -> tuple[int, bytes, str, str]:
    """What a front-end sees of an answer, without what belongs to one request."""
    return (
        answer.status_code,
        answer.content,
        answer.headers["location"],
        answer.headers["content-type"],
    )


async def test_repetition_gets_the_same_answer(front: Front) -> None:
    """Byte by byte, marked as replayed, and nothing is stored again."""
    first = await front.post(new_order("again"))
    second = await front.post(new_order("again"))

    assert told(first) == told(second)
    assert (None, "true") == (
        first.headers.get("idempotency-replayed"),
        second.headers["idempotency-replayed"],
    )
    assert _ONE == await effects(front)


async def test_repetition_after_a_restart_gets_the_same_answer(front: Front) -> None:
    """The answer is in the database, not in the process that gave it."""
    first = await front.post(new_order("restart"))
    async with front.another() as api:
        second = await front.post(new_order("restart"), api=api)

    assert told(first) == told(second)
    assert "true" == second.headers["idempotency-replayed"]


async def test_quoted_key_is_the_bare_key(front: Front) -> None:
    """The draft quotes it, most clients do not."""
    first = await front.post(new_order("quoted"), key='"abc"')
    second = await front.post(new_order("quoted"), key="abc")

    assert told(first) == told(second)


async def test_same_key_with_another_body_is_refused(front: Front) -> None:
    """422, because neither answer would be right; the first order stays."""
    await front.post(new_order("first"))
    answer = await front.post(new_order("second"))

    document = problem_of(answer)
    assert (422, "key_reused") == (answer.status_code, document.code)
    assert ["Idempotency-Key"] == [one.header for one in document.errors]
    assert _ONE == await effects(front)


async def test_wrong_request_does_not_use_its_key_up(front: Front) -> None:
    """Nothing was stored, so the corrected order may take the same key."""
    assert 422 == (await front.post(new_order("wrong", channel="FAX"))).status_code
    assert 202 == (await front.post(new_order("wrong"))).status_code


async def test_fifty_at_once_make_one_order(front: Front) -> None:
    """From two processes: one is answered first, the others are told to wait or get its answer."""
    order = new_order("many")
    async with front.another() as api:
        answers = await asyncio.gather(
            *(front.post(order, api=(front.api, api)[number % 2]) for number in range(50))
        )

    outcomes = Counter(
        (one.status_code, one.headers.get("idempotency-replayed", "")) for one in answers
    )
    assert 1 == outcomes.pop((202, ""))
    assert {(409, ""), (202, "true")} >= set(outcomes)
    assert 1 == len({one.content for one in answers if one.status_code == 202})
    assert {"1"} >= {one.headers["retry-after"] for one in answers if one.status_code == 409}
    assert _ONE == await effects(front)


async def test_fifty_different_at_once_make_fifty(front: Front) -> None:
    """Keys do not stand in each other's way."""
    answers = await asyncio.gather(
        *(front.post(new_order(number), key=f"k-{number}") for number in range(50))
    )

    assert {202} == {one.status_code for one in answers}
    assert dict.fromkeys(_ONE, 50) == await effects(front)


async def test_forgotten_key_is_new_again(front: Front) -> None:
    """Past its days a key may be used for another order."""
    await front.post(new_order("old"))
    await front.stage.rows("update headrace.idempotency set expires_at = now() - interval '1 s'")

    answer = await front.post(new_order("new"))
    again = await front.post(new_order("new"))

    assert (202, None) == (answer.status_code, answer.headers.get("idempotency-replayed"))
    assert told(answer) == told(again)
    assert 2 == (await effects(front))["document"]


# --- with Prefer: wait, where the answer is not known when the order is stored ---------------


async def stored_order(front: Front) -> str:
    """The id of the only order as soon as it is committed."""
    sql = "select id from headrace.document where kind = 'order'"
    ((order_id,),) = await until(lambda: front.stage.rows(sql))
    return str(order_id)


async def waiting(front: Front, name: str) -> "asyncio.Task[httpx.Response]":
    """A request that waits for the end of its order, whose order is committed."""
    task = asyncio.create_task(front.post(new_order(name), Prefer="wait=30"))
    await stored_order(front)
    return task


async def test_repetition_while_the_first_waits_is_told_to_wait(front: Front) -> None:
    """409 with Retry-After; a second flow is not started."""
    task = await waiting(front, "inflight")

    answer = await front.post(new_order("inflight"))

    assert (409, "in_flight") == (answer.status_code, problem_of(answer).code)
    assert "1" == answer.headers["retry-after"]
    assert _ONE == await effects(front)
    task.cancel()


async def test_request_that_waits_is_answered_when_the_order_has_ended(front: Front) -> None:
    """200 with the ended operation, and the same for whoever repeats it."""
    task = await waiting(front, "ends")
    async with front.stage.life() as life:
        await front.stage.finish(life, await front.stage.order(await stored_order(front)))
        first = await task
    second = await front.post(new_order("ends"))

    assert (200, "COMPLETED") == (first.status_code, first.json()["state"])
    assert "wait=30" == first.headers["preference-applied"]
    assert told(first) == told(second)
    assert "true" == second.headers["idempotency-replayed"]


async def test_request_whose_process_died_is_answered_by_its_repetition(front: Front) -> None:
    """Not while the dead process might still answer, but then, and for good."""
    task = await waiting(front, "died")
    order_id = await stored_order(front)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert 409 == (await front.post(new_order("died"))).status_code

    await front.stage.rows("update headrace.idempotency set locked_until = now()")
    second = await front.post(new_order("died"))
    third = await front.post(new_order("died"))

    assert (202, order_id) == (second.status_code, second.json()["order_id"])
    assert "true" == second.headers["idempotency-replayed"]
    assert told(second) == told(third)
    assert _ONE == await effects(front)


@pytest.mark.parametrize(
    ("prefer", "applied"),
    [
        ("wait=1", "wait=1"),
        ("respond-async, wait=1", "wait=1"),
        ('Wait = "1"; foo', "wait=1"),
        ("wait=0", None),
        ("wait=soon", None),
        ("wait=-1", None),
        ("await=1", None),
        ("respond-async", None),
    ],
)
async def test_preference_is_read_as_rfc_7240_writes_it(
    front: Front, prefer: str, applied: str | None
) -> None:
    """Names have no case, values may be quoted; what cannot be read is ignored."""
    answer = await front.post(new_order("prefer"), Prefer=prefer)

    assert (202, applied) == (answer.status_code, answer.headers.get("preference-applied"))


async def test_long_preference_is_cut(front: Front, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody holds a connection for longer than we allow, however many digits are sent."""
    monkeypatch.setattr("gateway.api.taking._WAIT_MOST_S", 1)

    answer = await front.post(new_order("long"), Prefer="wait=86400")

    assert "wait=1" == answer.headers["preference-applied"]
