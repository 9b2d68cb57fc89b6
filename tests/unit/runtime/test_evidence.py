"""Evidence: redacted whenever anybody looks, and not before it must be."""

import httpx
import pytest

from gateway.runtime import evidence
from gateway.runtime.evidence import Parts, Transcript


@pytest.mark.parametrize("show", [str, repr, "{}".format])
def test_a_transcript_never_shows_what_it_holds(show: object) -> None:
    """Whatever prints it, a log line or a failed assertion, gets the redacted text."""
    request = httpx.Request(
        "POST",
        "https://sap.example/a",
        headers={"Authorization": "Basic geheim"},
        json={"n": "Max"},
    )
    text = show(Transcript(request, frozenset()))  # type: ignore[operator] # three ways to print

    assert "geheim" not in text
    assert text.endswith('{"n":"•••(3)"}')


@pytest.mark.parametrize(("characters", "at_once"), [(10_000, 0), (20_000, 1)])
def test_a_large_body_does_not_wait(
    monkeypatch: pytest.MonkeyPatch, characters: int, at_once: int
) -> None:
    """What waits while PostgreSQL is away stays bounded: a large body is cut when it comes."""
    answer = httpx.Response(200, json={"n": "x" * characters})
    redacted: list[object] = []
    parts = evidence._parts

    def counted(message: httpx.Request | httpx.Response, readable: frozenset[str]) -> Parts:
        redacted.append(message)
        return parts(message, readable)

    monkeypatch.setattr(evidence, "_parts", counted)

    made = Transcript(answer, frozenset())

    assert at_once == len(redacted)
    assert str(made).endswith(f'{{"n":"•••({characters})"}}')


def test_no_answer_is_no_text() -> None:
    """As with a connection that broke."""
    assert not str(Transcript(None, frozenset()))
