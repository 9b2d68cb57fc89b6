"""Bad input over HTTP: a problem document each, and nothing stored."""

import copy
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from gateway.api.problems import CATALOGUE
from tests.api.front import Front, new_order, pointers, problem_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

_TEXT = json.dumps(new_order("bad"))


def changed(pointer: str, value: Any) -> bytes:
    """A good order with another value at a pointer."""
    order = copy.deepcopy(new_order("bad"))
    *path, last = pointer.split("/")[1:]
    inner: Any = order
    for name in path:
        inner = inner[int(name)] if isinstance(inner, list) else inner[name]
    inner[last] = value
    return json.dumps(order).encode()


def _quantity(literal: str) -> bytes:
    return _TEXT.replace('"quantity": 2', f'"quantity": {literal}').encode()


_QUANTITY_TWICE = _quantity('1, "quantity": 1')


@pytest.mark.parametrize(
    ("body", "status", "code", "pointer"),
    [
        (changed("/colour", "red"), 422, "unknown_field", "/colour"),
        (changed("/items/0/quantity", "2"), 422, "wrong_type", "/items/0/quantity"),
        (changed("/total/currency", "XXX"), 422, "unknown_currency", "/total/currency"),
        (changed("/total/currency", "USD"), 422, "currency_not_sold", "/total/currency"),
        (changed("/total/amount", "-20.00"), 422, "not_positive", "/total/amount"),
        (changed("/items/0/quantity", 10**40), 422, "too_large", "/items/0/quantity"),
        (changed("/items", []), 422, "too_few", "/items"),
        (changed("/items/0/description", "\x00"), 422, "control_character", "/items/0/description"),
        (_QUANTITY_TWICE, 422, "duplicate_key", "/items/0/quantity"),
        (b"[" * 65 + b"]" * 65, 422, "too_deep", ""),
        (b"[" * 1_000 + b"]" * 1_000, 422, "too_deep", ""),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, 422, "too_deep", ""),
        (b"", 400, "not_json", ""),
        (b"{", 400, "not_json", ""),
        (_TEXT.encode("utf-16"), 400, "not_json", ""),
        (_TEXT.replace("M\\u00fcller", "Müller").encode("latin-1"), 400, "not_json", ""),
        (_TEXT.replace("M\\u00fcller", "\\ud800").encode(), 400, "not_json", ""),
        (_quantity("NaN"), 400, "not_json", ""),
        (_quantity("1e400"), 400, "not_json", ""),
        (_quantity("9" * 5000), 400, "not_json", ""),
    ],
)
async def test_wrong_body_is_refused(
    shared: Front, body: bytes, status: int, code: str, pointer: str
) -> None:
    """The problem names the field by pointer, and no table has a row more."""
    before = await shared.stored()

    answer = await shared.post(body)

    assert status == answer.status_code
    assert (pointer, code) in pointers(problem_of(answer))
    assert before == await shared.stored()


async def test_body_above_the_limit_is_refused(shared: Front) -> None:
    """1 MiB and a byte is 413, whether the length is told or only found out."""
    too_large = b" " * (1_048_576 + 1)

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(too_large), 65_536):
            yield too_large[start : start + 65_536]

    headers = {"Content-Type": "application/json", "Idempotency-Key": "large"}
    for body in (too_large, pieces()):
        answer = await shared.api.post("/v1/orders", content=body, headers=headers)
        assert "too_large" == problem_of(answer).code
        assert 413 == answer.status_code
    assert 0 == (await shared.stored())["document"]


async def test_body_of_exactly_the_limit_is_read(shared: Front) -> None:
    """What is refused here is its content, not its size."""
    answer = await shared.post(b" " * 1_048_576)

    assert "not_json" == problem_of(answer).code


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "application/xml",
        "application/x-www-form-urlencoded",
        "application/vnd.acme+json",
        "application/json, text/plain",
        "application/json; charset=iso-8859-1",
    ],
)
async def test_other_content_is_not_taken(shared: Front, content_type: str) -> None:
    """415 names the header; JSON between systems is UTF-8 and nothing else."""
    answer = await shared.post(_TEXT.encode(), Content_Type=content_type)

    document = problem_of(answer)
    assert 415 == answer.status_code
    assert ["Content-Type"] == [one.header for one in document.errors]
    assert 0 == (await shared.stored())["document"]


@pytest.mark.parametrize(
    "content_type",
    ["APPLICATION/JSON", "application/json; charset=UTF-8", 'application/json;charset="utf-8"'],
)
async def test_json_is_taken_however_it_is_spelt(shared: Front, content_type: str) -> None:
    """Media types and charsets have no case (RFC 9110 §8.3)."""
    answer = await shared.post(b"{}", Content_Type=content_type)

    assert 422 == answer.status_code


@pytest.mark.parametrize("key", ["", " ", '""', '"abc', 'abc"', "a b", "x" * 256, "schlüssel"])
async def test_key_that_is_none_is_refused(shared: Front, key: str) -> None:
    """Missing, empty, too long, not printable or with half a quotation mark: 400."""
    headers = {"Content-Type": "application/json", "Idempotency-Key": key.encode("latin-1")}
    if not key:
        del headers["Idempotency-Key"]
    answer = await shared.api.post("/v1/orders", content=_TEXT, headers=headers)

    document = problem_of(answer)
    assert (400, "key_missing") == (answer.status_code, document.code)
    assert ["Idempotency-Key"] == [one.header for one in document.errors]
    assert 0 == (await shared.stored())["document"]


async def test_two_keys_are_none(shared: Front) -> None:
    """Which of the two would count is anybody's guess."""
    headers = [
        ("Content-Type", "application/json"),
        ("Idempotency-Key", "one"),
        ("Idempotency-Key", "two"),
    ]
    answer = await shared.api.post("/v1/orders", content=_TEXT, headers=headers)

    assert "key_missing" == problem_of(answer).code


async def test_answer_to_ten_thousand_mistakes_is_small(shared: Front) -> None:
    """A hostile body of 100 kB is not answered with megabytes."""
    answer = await shared.post(changed("/items", [{"x": 1}] * 10_000))

    assert 101 == len(problem_of(answer).errors)
    assert 20_000 > len(answer.content)


@pytest.mark.parametrize(
    "path",
    [
        "/v1/orders/%00",
        "/v1/orders/%00/timeline",
        "/v1/operations/%00",
        "/webhooks/acme/%00",
        "/%00",
    ],
)
async def test_id_that_cannot_be_is_not_found(shared: Front, path: str) -> None:
    """PostgreSQL has no text with U+0000, so there is nothing with this name; and no 500."""
    answer = await shared.api.get(path)

    assert (404, "not_found") == (answer.status_code, problem_of(answer).code)


@pytest.mark.parametrize("code", sorted(CATALOGUE))
async def test_every_type_of_problem_is_explained(shared: Front, code: str) -> None:
    """The URL in ``type`` answers with what to do."""
    answer = await shared.api.get(f"/problems/{code}")

    assert 200 == answer.status_code
    assert CATALOGUE[code] == tuple(answer.json()[k] for k in ("status", "title", "what_to_do"))
    assert f"/problems/{code}" == answer.json()["type"]
