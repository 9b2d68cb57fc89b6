"""Answers: what is read of them alike for every product."""

import httpx
import msgspec
import pytest

from gateway.errors import InDoubt, Unavailable
from gateway.kit import answers
from gateway.kit.adapter import segment

_DATED = httpx.Response(200, headers={"Date": "Sun, 22 Nov 2026 09:00:00 GMT"})


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        ("30", 30.0),
        ("", None),
        ("Sun, 22 Nov 2026 09:00:00 GMT", None),
        ("-1", None),
        ("1.5", None),
    ],
)
def test_pause_is_in_whole_seconds(given: str, seconds: float | None) -> None:
    """A date would need a clock, and the transport has one."""
    assert seconds == answers.retry_after_s(httpx.Response(429, headers={"Retry-After": given}))


@pytest.mark.parametrize("content", [b"", b"<html>", b"[1]", b"\xff", b"[" * 100_000])
def test_error_in_another_form_is_none(content: bytes) -> None:
    """However deep it is."""
    decoder = msgspec.json.Decoder(dict[str, int])

    assert answers.legible(httpx.Response(500, content=content), decoder) is None
    assert {"a": 1} == answers.legible(httpx.Response(500, content=b'{"a":1}'), decoder)


def test_muddle_is_doubt_after_a_write_only() -> None:
    """A read can be asked again."""
    assert isinstance(answers.unclear("x", "c", wrote=True), InDoubt)
    assert isinstance(answers.unclear("x", "c", wrote=False), Unavailable)


@pytest.mark.parametrize("since", ["2026-11-22T08:59:00+00:00", "2026-11-22T08:59:00"])
def test_age_is_by_the_clock_of_the_product(since: str) -> None:
    """A moment without zone is in UTC."""
    assert 60.0 == answers.age_s(_DATED, since, title="Acme")


def test_answer_without_a_date_has_no_age() -> None:
    """Nothing was done, so it can be asked again."""
    with pytest.raises(Unavailable, match=r"Acme's answer has no date\."):
        answers.age_s(httpx.Response(200), "2026-11-22T08:59:00", title="Acme")


def test_reference_is_one_part_of_a_path() -> None:
    """Whatever stands in it."""
    assert "a%2F..%3Fb" == segment("a/..?b")


def test_moments_that_are_none_are_zero() -> None:
    """Nothing depends on them; one without zone is in UTC."""
    assert 0.0 == answers.seconds("") == answers.seconds("soon") == answers.seconds("1970-01-01")
    assert 1_000.0 == answers.seconds("1970-01-01T00:16:40") == answers.seconds(answers.moment(1e3))
    assert "1970-01-01T00:16:40Z" == answers.moment(1_000.9)


@pytest.mark.parametrize("raw", [b"5", b"[]", b'"x"', b"null", b"[" * 100_000, b"\xff"])
def test_an_entry_that_is_no_object_has_no_texts(raw: bytes) -> None:
    """It stands beside others, which shall be seen all the same."""
    assert {} == answers.texts(msgspec.Raw(raw))
    assert {"a": "b"} == answers.texts(msgspec.Raw(b'{"a":"b","c":5,"d":null}'))


def test_what_cannot_be_read_is_in_doubt() -> None:
    """Nobody knows what it says; why stays with it."""

    def unreadable() -> str:
        raise answers.UnreadableError("Acme gave an unknown status.", code="status_unknown")

    assert "read" == answers.believed(lambda: "read")
    with pytest.raises(InDoubt, match="unknown status") as doubt:
        answers.believed(unreadable)
    assert "status_unknown" == doubt.value.code
    assert isinstance(doubt.value.__cause__, answers.UnreadableError)


def test_the_one_that_can_still_move_money_counts() -> None:
    """Else the first; two that can are for a person."""
    over = {"old", "older"}

    assert answers.only([], title="Acme") is None
    assert "live" == answers.only(["old", "live", "older"], over.__contains__, title="Acme")
    assert "old" == answers.only(["old", "older"], over.__contains__, title="Acme")
    with pytest.raises(InDoubt, match="Acme has more than one") as doubt:
        answers.only(["live", "other"], over.__contains__, title="Acme")
    assert "found_twice" == doubt.value.code
