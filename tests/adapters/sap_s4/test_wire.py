"""What SAP's answers mean, by the recorded answers, and how a session is earned."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapters.sap_s4 import ADAPTER, Settings, wire
from gateway.errors import HeadraceError, InDoubt, Misconfigured, Rejected, Unavailable
from gateway.kit import odata
from gateway.kit.blocking import run

# Outcome of a vector to our error: after a read, after a write.
_ERRORS: dict[str, tuple[type[HeadraceError], type[HeadraceError]]] = {
    "rejected": (Rejected, Rejected),
    "duplicate": (Rejected, Rejected),
    "not_found": (Rejected, Rejected),
    "stale": (Rejected, Rejected),
    "locked": (Unavailable, Unavailable),
    "throttled": (Unavailable, Unavailable),
    "unavailable": (Unavailable, Unavailable),
    "csrf": (Unavailable, Unavailable),
    "ambiguous": (Unavailable, InDoubt),
    "protocol": (Unavailable, InDoubt),
    "forbidden": (Misconfigured, Misconfigured),
    # A logon page after a write does not say what happened before it.
    "auth": (Misconfigured, Misconfigured),
}
# Outcome of a vector to our code.
_CODES = {
    "rejected": "refused_by_system",
    "not_found": "not_found",
    "stale": "stale",
    "locked": "locked",
    "throttled": "throttled",
    "unavailable": "system_unavailable",
    "csrf": "session_refused",
    "forbidden": "forbidden",
}


@pytest.fixture(scope="session")
def vectors(contracts: Path) -> dict[str, dict[str, Any]]:
    content = json.loads((contracts / "vectors" / "responses.json").read_text())
    # The adapter sends no batches.
    return {
        each["id"]: each
        for each in content["vectors"]
        if each["channel"] == "odata-v2" and not each["id"].startswith("batch")
    }


def _response(vector: dict[str, Any]) -> httpx.Response:
    return httpx.Response(
        vector["status"], headers=vector["headers"], content=vector["body"].encode()
    )


def _outcome(response: httpx.Response, *, write: bool) -> HeadraceError | None:
    try:
        wire.answer(response, odata.entity, write=write)
    except HeadraceError as error:
        return error
    return None


@pytest.mark.parametrize("write", [False, True])
def test_vectors(vectors: dict[str, dict[str, Any]], write: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """Each recorded answer becomes the error that its outcome asks for, with SAP's code."""
    assert len(vectors) >= 13
    for name, vector in vectors.items():
        expect = vector["expect"]
        error = _outcome(_response(vector), write=write)
        if expect["outcome"] == "ok":
            assert error is None, name
            continue
        wanted = _ERRORS[expect["outcome"]][write]
        if name == "login-page-200" and write:
            wanted = InDoubt
        assert wanted is type(error), name
        assert error is not None
        assert _CODES.get(expect["outcome"], error.code) == error.code, name
        assert expect.get("code", "") in error.detail, name
        assert expect.get("retry_after_s") == getattr(error, "retry_after_s", None), name


def test_vector_messages(vectors: dict[str, dict[str, Any]]) -> None:
    """Errors and warnings of an answer are told apart, in the body and beside a success."""
    for name, vector in vectors.items():
        error = odata.read_error(vector["body"].encode())
        messages = odata.read_messages(vector["headers"].get("sap-message"))
        warnings = (*error.warnings, *(each.text for each in messages))
        assert tuple(vector["expect"].get("warnings", ())) == warnings, name
        if "errors" in vector["expect"]:
            assert tuple(vector["expect"]["errors"]) == error.errors, name


def test_vectors_that_ask_for_a_new_token(vectors: dict[str, dict[str, Any]]) -> None:
    """Only what the vectors say is replayed with a new token."""
    expected = {
        name for name, each in vectors.items() if each["expect"]["retry"] == "refetch-token-once"
    }

    assert expected == {name for name, each in vectors.items() if wire.refused(_response(each))}


def test_details_carry_no_sentences(vectors: dict[str, dict[str, Any]]) -> None:
    """SAP's sentences may name people: neither message nor detail repeats one."""
    error = _outcome(_response(vectors["v2-locked-400"]), write=True)

    assert error is not None
    assert error.code == "locked"
    assert error.detail == "HTTP 400, V1/042, transaction 6F1E2D3C4B5A69788796A5B4C3D2E1F0"


@pytest.mark.parametrize(
    ("status", "read", "write"),
    [
        (500, Unavailable, InDoubt),
        (502, Unavailable, InDoubt),
        (504, Unavailable, InDoubt),
        (408, Unavailable, InDoubt),
        (302, Misconfigured, Misconfigured),
        (409, Rejected, Rejected),
    ],
)
def test_statuses_without_a_vector(
    status: int, read: type[HeadraceError], write: type[HeadraceError]
) -> None:
    """A failure during a write leaves it open whether the write happened."""
    response = httpx.Response(status, text="<html><title>Proxy</title></html>")

    assert read is type(_outcome(response, write=False))
    assert write is type(_outcome(response, write=True))


@pytest.mark.parametrize(
    ("status", "sentence", "code"),
    [
        (400, "Document already exists under number 1", "duplicate"),
        (409, "Conflict", "duplicate"),
        (409, "Object is locked by user MEIER", "locked"),
        (400, "Enter a plant", "refused_by_system"),
    ],
)
def test_refusals_told_by_their_sentence(status: int, sentence: str, code: str) -> None:
    """Where the status says too little, SAP's sentence decides."""
    body = f'{{"error": {{"code": "V1/1", "message": {{"value": "{sentence}"}}}}}}'

    error = _outcome(httpx.Response(status, text=body), write=True)

    assert error is not None
    assert code == error.code


@pytest.mark.parametrize(
    ("body", "expected", "code"),
    [
        ('{"error": {"code": "/IWBEP/X/1", "message": {"value": "-"}}}', Rejected, "not_found"),
        ('{"error": {"code": "/IWFND/MED/170"}}', Misconfigured, "service_unknown"),
        ("<html><title>Not found</title></html>", Misconfigured, "service_unknown"),
    ],
)
def test_not_found_by_whom(body: str, expected: type[HeadraceError], code: str) -> None:
    """A missing entity is a result of the service; a missing service is our configuration."""
    error = _outcome(httpx.Response(404, text=body), write=False)

    assert expected is type(error)
    assert error is not None
    assert code == error.code


@pytest.mark.parametrize("write", [False, True])
@pytest.mark.parametrize("body", [b"", b"{", b'{"d": {"results": []}}', b"[]"])
def test_unreadable_success(body: bytes, write: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """A success that cannot be read is in doubt after a write, never a failure."""
    error = _outcome(httpx.Response(201, content=body), write=write)

    assert (InDoubt if write else Unavailable) is type(error)


def test_change_answered_with_the_entity_or_with_nothing() -> None:
    """204 is SAP's answer to a change; 200 with the entity is taken as well, a page is not."""
    wire.done(httpx.Response(204))
    wire.done(httpx.Response(200, content=b'{"d": {"SalesOrder": "1"}}'))
    with pytest.raises(InDoubt):
        wire.done(httpx.Response(200, headers={"content-type": "text/html"}, text="<html/>"))


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"retry-after": "30"}, 30.0),
        (
            {
                "retry-after": "Mon, 02 Mar 2026 09:00:30 GMT",
                "date": "Mon, 02 Mar 2026 09:00:00 GMT",
            },
            30.0,
        ),
        ({"retry-after": "Mon, 02 Mar 2026 09:00:30 GMT"}, None),
        ({"retry-after": "soon", "date": "Mon, 02 Mar 2026 09:00:00 GMT"}, None),
        ({}, None),
    ],
)
def test_retry_after(headers: dict[str, str], expected: float | None) -> None:
    """Both forms of Retry-After are read; the date by the server's own clock."""
    assert expected == wire.retry_after_s(httpx.Response(503, headers=headers))


def test_lost_session_of_the_icm() -> None:
    """A leftover of a stateful session is dropped; the same words of a service are its own."""
    lost = "<html><body>400 Session not found</body></html>"
    page = httpx.Response(400, headers={"content-type": "text/html"}, text=lost)
    json_form = httpx.Response(400, headers={"content-type": "application/json"}, text=lost)

    assert wire.refused(page)
    assert not wire.refused(json_form)
    assert not wire.refused(httpx.Response(403, headers={"x-csrf-token": "abc"}))
    assert wire.refused(httpx.Response(403, headers={"X-CSRF-Token": "required"}))


def _scripted(settings: Settings, *answers: httpx.Response) -> tuple[Any, list[httpx.Request]]:
    sent: list[httpx.Request] = []
    script = iter(answers)

    def send(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return next(script)

    assert ADAPTER.login is not None
    return run(ADAPTER.login(settings), send), sent


def test_token_and_cookies_are_one(settings: Settings) -> None:
    """The token is kept with all cookies of its answer, and asked for with HEAD and a slash."""
    answer = httpx.Response(
        200,
        headers=[
            ("x-csrf-token", "T1"),
            ("set-cookie", "SAP_SESSIONID_S4H_100=abc; path=/; secure"),
            ("set-cookie", "sap-usercontext=sap-client=100; path=/"),
        ],
    )

    session, sent = _scripted(settings, answer)

    cookies = "SAP_SESSIONID_S4H_100=abc; sap-usercontext=sap-client=100"
    assert {"X-CSRF-Token": "T1", "Cookie": cookies} == session.headers
    assert [("HEAD", "/sap/opu/odata/sap/API_SALES_ORDER_SRV/")] == [
        (each.method, each.url.path) for each in sent
    ]
    assert sent[0].headers["x-csrf-token"] == "Fetch"


def test_token_on_an_error_answer(settings: Settings) -> None:
    """Some services refuse HEAD and hand out the token all the same."""
    session, sent = _scripted(settings, httpx.Response(405, headers={"x-csrf-token": "T1"}))

    assert session.headers == {"X-CSRF-Token": "T1"}
    assert len(sent) == 1


def test_ways_to_a_token(settings: Settings) -> None:
    """HEAD with a slash, HEAD without, then GET; ``Required`` in any case is no token."""
    session, sent = _scripted(
        settings,
        httpx.Response(403, headers={"x-csrf-token": "REQUIRED"}),
        httpx.Response(400),
        httpx.Response(200, headers={"x-csrf-token": "T1"}),
    )

    assert session.headers == {"X-CSRF-Token": "T1"}
    assert [("HEAD", "V/"), ("HEAD", "V"), ("GET", "V/")] == [
        (each.method, "V" + each.url.path.partition("SRV")[2]) for each in sent
    ]


def test_system_without_tokens(settings: Settings) -> None:
    """Where a service is not protected, a session without a token is a session."""
    session, _ = _scripted(settings, httpx.Response(200), httpx.Response(200), httpx.Response(200))

    assert session.headers == {}


def test_refused_password_is_tried_once(settings: Settings) -> None:
    """A second try with a wrong password is a step towards a locked user."""
    with pytest.raises(Misconfigured) as caught:
        _scripted(settings, httpx.Response(401, text="<html>Logon failed</html>"))

    assert caught.value.code == "credentials_refused"


def test_no_token_at_all(settings: Settings) -> None:
    """When every way fails, the last answer says why."""
    with pytest.raises(Misconfigured) as caught:
        _scripted(settings, *(httpx.Response(403, text="no") for _ in range(3)))

    assert caught.value.code == "forbidden"


def test_password_does_not_print(settings: Settings) -> None:
    """Neither repr nor an f-string shows the password."""
    assert settings.password not in f"{settings!r}{settings}"


def test_logon_of_every_request(settings: Settings) -> None:
    """Reads and writes carry logon, client and language; writes their key and entity tag."""
    built = wire.Wire(settings)

    write = built.write("PATCH", "S/A('1')", {"A": "1"}, key="k-1", match='W/"1"')

    assert write.headers["authorization"] == "Basic SEVBRFJBQ0U6aW52ZW50ZWQ="
    assert (write.headers["sap-client"], write.headers["sap-language"]) == ("100", "EN")
    assert (write.headers["x-correlationid"], write.headers["if-match"]) == ("k-1", 'W/"1"')
    assert write.read() == b'{"A":"1"}'
    assert "if-match" not in built.write("POST", "S/A", {}, key="k").headers
    assert built.read("S/A").headers["accept"] == "application/json"
