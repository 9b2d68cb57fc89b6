"""The port ``webhook_keys``: keys come from the vendor, whatever a delivery says."""

import httpx
import pytest

from gateway.errors import Rejected, Unavailable
from gateway.kit.blocking import run
from gateway.ports.notification import Notification
from gateway.ports.webhook_keys import WebhookKeys
from tests.conformance.subject import Subject, fulfilling

_SUBJECTS = fulfilling("webhook_keys")


@pytest.fixture(params=_SUBJECTS, ids=lambda one: one.adapter.product)
def subject(request: pytest.FixtureRequest) -> Subject:
    found: Subject = request.param
    return found


def named(subject: Subject, address: str) -> tuple[WebhookKeys, Notification]:
    """A port and a delivery that names its key at this address."""
    assert subject.naming is not None
    return subject.naming(address)


def asked(subject: Subject, address: str) -> list[httpx.URL]:
    """Whom the port would ask."""
    port, notification = named(subject, address)
    return [request.url for request in (next(port.fetch_keys(notification), None),) if request]


def vendors(subject: Subject) -> list[str]:
    """The vendor's hosts, without the scheme."""
    port, _ = named(subject, "")
    return sorted(origin.removeprefix("https://") for origin in port.origins)


@pytest.mark.parametrize(
    "address",
    [
        "http://{host}{path}",
        "ftp://{host}{path}",
        "//{host}{path}",
        "file:///etc/passwd",
        "https://169.254.169.254{path}",
        "https://127.0.0.1{path}",
        "https://[::1]{path}",
        "https://[::ffff:169.254.169.254]{path}",
        "https://2130706433{path}",
        "https://0x7f.1{path}",
        "https://localhost{path}",
        "https://evil.example{path}",
        "https://{host}.evil.example{path}",
        "https://{host}.{path}",
        "https://evil-{host}{path}",
        "https://{host}@evil.example{path}",
        "https://user@{host}{path}",
        "https://user:secret@{host}{path}",
        "https://{host}:443{path}",
        "https://{host}:8443{path}",
        "https://{host}\\@evil.example{path}",
        "https://evil.example\\@{host}{path}",
        "https://evil.example#@{host}{path}",
        "https://evil.example?@{host}{path}",
        "https://{upper}{path}",
        "HTTPS://{host}{path}",
        "https://xn--{host}{path}",
        "https://{cyrillic}{path}",
        "https://{fullwidth}{path}",
        "https://{host}%2eevil.example{path}",
        " https://{host}{path}",
        "https://{host}{path} ",
        "https://{host}{path}\n",
        "https://{host}{path}\r\nHost: evil.example",
        "https://{host}/../..{path}",
        "https://{host}/.{path}",
        "https://{host}{path}/..",
        "https://{host}//evil.example{path}",
        "https://{host}{path}?next=https://evil.example",
        "https://{host}{path}#x",
        "https://{host}{path}%2f..",
        "https://{host}",
        "https://{host}/",
        "https:/{host}{path}",
        "https:{host}{path}",
        "https://{host}/{long}",
    ],
)
def test_nobody_else_is_asked(subject: Subject, address: str) -> None:
    """Every spelling of another place, and every unusual one of the right place, is refused."""
    for host in vendors(subject):
        strange = address.format(
            host=host,
            path="/v1/notifications/certs/CERT-1",
            upper=host.upper(),
            cyrillic=host.replace("a", "\u0430"),
            fullwidth=host.replace("a", "\uff41"),
            long="a" * 600,
        )
        with pytest.raises(Rejected) as refused:
            asked(subject, strange)
        assert "url_refused" == refused.value.code


def test_the_vendor_is_asked_without_credentials(subject: Subject) -> None:
    """One plain GET to the address itself, with nothing of ours in it."""
    for host in vendors(subject):
        address = f"https://{host}/v1/notifications/certs/CERT-360caa42-fca2a594"
        port, notification = named(subject, address)
        request = next(port.fetch_keys(notification))

        assert ("GET", address, b"") == (request.method, str(request.url), request.read())
        assert {"host", "accept"} == set(request.headers)


@pytest.mark.parametrize(
    ("status", "error"),
    [(404, Rejected), (410, Rejected), (301, Unavailable), (302, Unavailable), (500, Unavailable)],
)
def test_what_is_not_there_is_no_key(subject: Subject, status: int, error: type[Exception]) -> None:
    """Nothing there is a refusal, a bad moment is not; a redirection is never followed."""
    address = f"https://{vendors(subject)[0]}/v1/notifications/certs/CERT-1"
    port, notification = named(subject, address)
    away = {"Location": "https://evil.example/"}

    with pytest.raises(error):
        run(port.fetch_keys(notification), lambda _: httpx.Response(status, headers=away))


def test_the_document_is_handed_on_as_it_came(subject: Subject) -> None:
    """And may be kept for a while."""
    address = f"https://{vendors(subject)[0]}/v1/notifications/certs/CERT-1"
    port, notification = named(subject, address)

    keys = run(port.fetch_keys(notification), lambda _: httpx.Response(200, content=b"\x00keys"))

    assert b"\x00keys" == keys.document
    assert 60 <= keys.expires_in_s <= 86_400
