"""The token and the errors, without a simulator: bytes in, meaning out."""

from io import StringIO
from typing import Any

import httpx
import msgspec
import pytest
from rich.console import Console

from adapters.salesforce import ADAPTER, faults, wire
from adapters.salesforce.settings import Settings
from gateway.errors import HeadraceError, InDoubt, Misconfigured, Rejected, Unavailable
from gateway.kit.blocking import run

TOKEN = {"access_token": "00D!x", "instance_url": "https://acme--eu7.my.salesforce.com"}


def fault(status: int, code: str, message: str = "x") -> httpx.Response:
    return httpx.Response(status, json=[{"message": message, "errorCode": code, "fields": []}])


def meaning(response: httpx.Response, *, writes: bool) -> HeadraceError:
    with pytest.raises(HeadraceError) as caught:
        faults.check(response, writes=writes)
    return caught.value


def test_the_login_earns_a_session_for_the_instance(settings: Settings) -> None:
    """Token, instance and the configured lifetime make the session."""
    session = run(wire.login(settings), lambda _: httpx.Response(200, json=TOKEN))

    assert {"Authorization": "Bearer 00D!x"} == session.headers
    assert ("https://acme--eu7.my.salesforce.com", 900.0) == (session.origin, session.expires_in_s)


def test_a_secret_with_special_characters_survives_the_form(settings: Settings) -> None:
    """The form is encoded, so ``&`` in a secret does not start the next field."""
    odd = msgspec.structs.replace(settings, client_secret="a&b=c+d é")
    body = next(wire.login(odd)).read()

    assert body.endswith(b"client_secret=a%26b%3Dc%2Bd+%C3%A9")


@pytest.mark.parametrize(
    ("answer", "kind", "code", "detail"),
    [
        (
            httpx.Response(400, json={"error": "invalid_client", "error_description": "x"}),
            Misconfigured,
            "credentials_refused",
            "invalid_client",
        ),
        (
            httpx.Response(400, json={"error": "rate_limit_exceeded"}),
            Unavailable,
            "login_unavailable",
            "rate_limit_exceeded",
        ),
        (httpx.Response(503, text="<p>"), Unavailable, "login_unavailable", "HTTP 503"),
        (httpx.Response(500), Unavailable, "login_unavailable", "HTTP 500"),
        (httpx.Response(429), Unavailable, "login_unavailable", "HTTP 429"),
        (httpx.Response(302), Misconfigured, "credentials_refused", "HTTP 302"),
        (httpx.Response(200, text="<html>"), Unavailable, "answer_unreadable", ""),
        (httpx.Response(200, json={"access_token": "x"}), Unavailable, "answer_unreadable", ""),
        (
            httpx.Response(200, json={**TOKEN, "access_token": "x\r\nSet-Cookie: y"}),
            Unavailable,
            "answer_unreadable",
            "",
        ),
        (
            httpx.Response(200, json={**TOKEN, "instance_url": "http://acme.example"}),
            Misconfigured,
            "instance_insecure",
            "",
        ),
    ],
)
def test_a_login_that_earns_nothing_says_why(
    settings: Settings,
    answer: httpx.Response,
    kind: type[HeadraceError],
    code: str,
    detail: str,
) -> None:
    """Wrong credentials wake somebody, a busy login is asked again, and no token goes astray."""
    with pytest.raises(HeadraceError) as caught:
        run(wire.login(settings), lambda _: answer)

    error = caught.value
    assert (kind, code, detail) == (type(error), error.code, error.detail)


@pytest.mark.parametrize(
    ("response", "read", "write", "code"),
    [
        (fault(400, "UNABLE_TO_LOCK_ROW"), Unavailable, Unavailable, "locked"),
        (fault(409, "UNABLE_TO_LOCK_ROW"), Unavailable, Unavailable, "locked"),
        (fault(403, "REQUEST_LIMIT_EXCEEDED"), Unavailable, Unavailable, "request_limit"),
        (httpx.Response(429), Unavailable, Unavailable, "request_limit"),
        (fault(400, "DUPLICATES_DETECTED"), Rejected, Rejected, "duplicate"),
        (fault(400, "STRING_TOO_LONG"), Rejected, Rejected, "field_invalid"),
        (fault(400, "FIELD_CUSTOM_VALIDATION_EXCEPTION"), Rejected, Rejected, "field_invalid"),
        (httpx.Response(400, text="<p>"), Rejected, Rejected, "field_invalid"),
        (fault(400, "INVALID_FIELD"), Misconfigured, Misconfigured, "not_permitted"),
        (fault(400, "INSUFFICIENT_ACCESS"), Misconfigured, Misconfigured, "not_permitted"),
        (fault(403, "API_DISABLED_FOR_ORG"), Misconfigured, Misconfigured, "not_permitted"),
        (fault(401, "INVALID_SESSION_ID"), Misconfigured, Misconfigured, "not_permitted"),
        (fault(404, "NOT_FOUND"), Misconfigured, Misconfigured, "not_permitted"),
        (httpx.Response(302), Misconfigured, Misconfigured, "not_permitted"),
        (httpx.Response(300, json=["/a", "/b"]), InDoubt, InDoubt, "duplicate_in_system"),
        (fault(503, "SERVER_UNAVAILABLE"), Unavailable, Unavailable, "server_unavailable"),
    ],
)
def test_each_error_has_one_meaning(
    response: httpx.Response,
    read: type[HeadraceError],
    write: type[HeadraceError],
    code: str,
) -> None:
    """The code decides before the status does."""
    found = [meaning(response, writes=writes) for writes in (False, True)]

    assert [(read, code), (write, code)] == [(type(error), error.code) for error in found]


@pytest.mark.parametrize(
    "response", [fault(500, "UNKNOWN_EXCEPTION"), httpx.Response(502), httpx.Response(503)]
)
def test_a_failing_server_leaves_doubt_only_after_a_write(response: httpx.Response) -> None:
    """Whoever answered 5xx without their code may have stood behind the write."""
    assert Unavailable is type(meaning(response, writes=False))
    assert InDoubt is type(meaning(response, writes=True))


@pytest.mark.parametrize(
    ("response", "wait_s"),
    [
        (fault(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."), 3600.0),
        (fault(403, "REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests (x) Limit exceeded."), 5.0),
        (fault(400, "UNABLE_TO_LOCK_ROW"), 1.0),
        (httpx.Response(503, headers={"Retry-After": "7"}), 7.0),
        (httpx.Response(429, headers={"Retry-After": "Fri, 31 Dec 1999 23:59:59 GMT"}), None),
    ],
)
def test_the_wait_fits_the_limit(response: httpx.Response, wait_s: float | None) -> None:
    """A day's limit is not asked again in seconds; what they ask for goes first."""
    error = meaning(response, writes=False)

    assert isinstance(error, Unavailable)
    assert wait_s == error.retry_after_s


def test_their_message_stays_behind() -> None:
    """Salesforce quotes values of the record; none of them reaches a log."""
    error = meaning(fault(400, "STRING_TOO_LONG", "Name: Erika Mustermann"), writes=True)

    assert "Erika" not in f"{error!r} {error.message} {error.detail}"
    assert "STRING_TOO_LONG" == error.detail


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        (fault(401, "INVALID_SESSION_ID"), True),
        (fault(401, "INVALID_AUTH_HEADER"), False),
        (fault(403, "INVALID_SESSION_ID"), False),
        (httpx.Response(401), False),
        (httpx.Response(401, json=[]), False),
    ],
)
def test_only_a_dead_session_is_worth_another_login(
    response: httpx.Response,
    expected: bool,  # noqa: FBT001 - a table of answers
) -> None:
    """Everything else would be asked twice for nothing."""
    assert expected is ADAPTER.refused(response)


@pytest.mark.parametrize("show", [repr, str, lambda value: f"{(value,)}"])
def test_settings_do_not_print_their_secret(settings: Settings, show: Any) -> None:
    """Neither Python nor rich shows it."""
    printed = StringIO()
    Console(file=printed, width=200).print(settings)

    assert "acme.my.salesforce.com" in printed.getvalue()
    assert "simulated-secret" not in show(settings) + printed.getvalue()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("login_url", "acme.my.salesforce.com"),
        ("login_url", "https://acme.my.salesforce.com/"),
        ("login_url", "https://user@acme.example"),
        ("api_version", "67"),
        ("external_id_field", "Headrace Id"),
        ("country_field", "Country"),
        ("token_lifetime_s", 0),
        ("clientsecret", "x"),
    ],
)
def test_wrong_settings_are_refused(field: str, value: Any) -> None:
    """A mistake in the configuration stops the start, not a customer."""
    typed = {"login_url": "https://a.example", "client_id": "i", "client_secret": "s"}
    msgspec.convert(typed, Settings)

    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({**typed, field: value}, Settings)
