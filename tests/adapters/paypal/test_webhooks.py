"""The webhooks port of PayPal: everything that is signed, and how little that is."""

import msgspec
import pytest

from adapters.paypal import Settings
from adapters.paypal.mandates import customer_of
from adapters.paypal.webhooks import PayPalWebhooks
from gateway.errors import Rejected
from gateway.model.event import About, ProviderEvent
from gateway.model.reference import EntityKind
from gateway.ports.notification import Notification, Trust
from tests.adapters.paypal import authority
from tests.adapters.paypal.conformance import BODY
from tests.conformance.subject import NOW

_ROOTS = authority.root().pem.decode()


def port(**changes: str) -> PayPalWebhooks:
    fields = {"client_id": "c", "client_secret": "s", "webhook_id": "WID", "trusted_roots": _ROOTS}
    return PayPalWebhooks(Settings(**{**fields, **changes}))  # type: ignore[arg-type] # all are texts


def changed(notification: Notification, name: str, value: str) -> Notification:
    headers = tuple((k, value if k == name else v) for k, v in notification.headers)
    return msgspec.structs.replace(notification, headers=headers)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("paypal-auth-algo", "MD5withRSA"),
        ("paypal-auth-algo", "sha256withrsa"),
        ("paypal-auth-algo", ""),
        ("paypal-transmission-id", "b2c4"),
        ("paypal-transmission-time", "2026-01-01T00:00:01Z"),
        ("paypal-transmission-sig", ""),
    ],
)
def test_every_header_that_is_signed(name: str, value: str) -> None:
    """Another value refuses the delivery."""
    with pytest.raises(Rejected):
        port().verify(changed(authority.delivery("WID", BODY), name, value), now=NOW)


def test_another_webhook() -> None:
    """A delivery to somebody else is not one to us, though it is PayPal's."""
    with pytest.raises(Rejected):
        port().verify(authority.delivery("OTHER", BODY), now=NOW)


def test_the_intermediate_may_be_ours() -> None:
    """Where PayPal sends its certificate alone, the settings bring the rest."""
    alone = authority.delivery("WID", BODY, chain=())
    with pytest.raises(Rejected):
        port().verify(alone, now=NOW)

    between = authority.between().pem.decode()
    assert Trust.SIGNED is port(intermediates=between).verify(alone, now=NOW)


def test_without_keys_nothing_is_accepted() -> None:
    """A receiver that forgets to fetch them does not open the door."""
    bare = msgspec.structs.replace(authority.delivery("WID", BODY), keys=b"")

    with pytest.raises(Rejected):
        port().verify(bare, now=NOW)


def test_a_test_serves_certificates_elsewhere() -> None:
    """Then PayPal's own hosts are not asked, and still only certificates are."""
    local = port(key_origin="http://127.0.0.1:9")
    path = "/v1/notifications/certs/CERT-1"
    given = authority.delivery("WID", BODY, address=f"http://127.0.0.1:9{path}")

    assert f"http://127.0.0.1:9{path}" == str(next(local.fetch_keys(given)).url)
    for address in (f"https://api.paypal.com{path}", "http://127.0.0.1:9/other", authority.ADDRESS):
        with pytest.raises(Rejected):
            next(local.fetch_keys(authority.delivery("WID", BODY, address=address)))


def test_events_are_hints() -> None:
    """Everybody can make another body with the same checksum, so no amount is read from one."""
    (event,) = port().read(Notification(body=BODY))
    (new,) = port().read(Notification(body=BODY.replace(b"PAYMENT.CAPTURE", b"LOAN")))

    assert ("WH-1", "2GG279541U471931P", True, None) == (
        event.event_id,
        event.provider_ref,
        event.hint,
        event.payment,
    )
    assert (True, False) == (event.known, new.known)
    assert "'s'" not in repr(Settings(client_id="c", client_secret="s"))


def test_agreements_of_ours_are_reasons_to_look() -> None:
    """By our id in the customer's; those of others mean nothing."""
    ours = "01950000-0000-7000-9200-000000000001"

    def read(customer: str, word: str = "DELETED") -> ProviderEvent:
        event = {
            "id": "WH-1",
            "event_type": f"VAULT.PAYMENT-TOKEN.{word}",
            "resource": {"id": "8kk8451t", "customer": {"id": customer}},
        }
        (found,) = port().read(Notification(body=msgspec.json.encode(event)))
        return found

    for word in ("CREATED", "DELETED", "DELETION-INITIATED"):
        found = read(customer_of(ours), word)
        assert (About(entity=EntityKind.MANDATE, entity_id=ours), True) == (
            found.about,
            found.known,
        )
    for customer in ("", "c1", "customer_4029352050", "A" * 22, "x" * 22, "ü" * 22):
        found = read(customer)
        assert (None, False, True) == (found.about, found.hint, found.known)
