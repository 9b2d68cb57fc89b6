"""The webhooks port of Mollie: signed, or a hint, and never one for the other."""

import pytest

from adapters.mollie import Settings
from adapters.mollie.webhooks import MollieWebhooks
from gateway.errors import Misconfigured, Rejected
from gateway.ports.notification import Notification, Trust
from tests.adapters.mollie.conformance import BODY, signed

_CLASSIC = Notification(body=b"id=tr_d0b0E3EA3v")


def port(*secrets: str) -> MollieWebhooks:
    return MollieWebhooks(Settings(api_key="test_1", webhook_secrets=secrets))


def test_signatures() -> None:
    """With or without the prefix, by any secret; in lower case, once."""
    for prefix in ("sha256=", ""):
        assert Trust.SIGNED is port("b", "a").verify(signed("a", prefix=prefix), now=0)
    for prefix in ("sha1=", "SHA256=", "sha256=sha256="):
        with pytest.raises(Rejected):
            port("a").verify(signed("a", prefix=prefix), now=0)


def test_a_wrong_signature_is_no_hint() -> None:
    """Whoever signs wrongly is not let in as somebody who does not sign."""
    forged = signed("wrong", body=_CLASSIC.body)
    with pytest.raises(Rejected):
        port("a").verify(forged, now=0)
    with pytest.raises(Rejected):
        port("a").verify(Notification(headers=(("x-mollie-signature", ""),), body=BODY), now=0)
    with pytest.raises(Misconfigured):
        port().verify(forged, now=0)


def test_classic_is_a_hint_with_or_without_secrets() -> None:
    """An id, and nothing else that could be believed."""
    for one in (port(), port("a")):
        assert Trust.UNSIGNED is one.verify(_CLASSIC, now=0)
    (event,) = port().read(_CLASSIC)
    assert ("tr_d0b0E3EA3v", "classic.tr", "tr_d0b0E3EA3v", True, True) == (
        event.event_id,
        event.event_type,
        event.provider_ref,
        event.hint,
        event.known,
    )
    assert None is event.payment


@pytest.mark.parametrize("body", [b"", b"id=", b"id=tr_", b"id=tr_1%0A2", b"x=1&id=tr_12", BODY])
def test_what_is_neither(body: bytes) -> None:
    """Refused."""
    with pytest.raises(Rejected) as refused:
        port("a").verify(Notification(body=body), now=0)

    assert "signature_missing" == refused.value.code


def test_types() -> None:
    """Of another family: kept, and marked as unknown."""
    (new,) = port().read(Notification(body=BODY.replace(b"payment-link.paid", b"loan.granted")))
    (old,) = port().read(Notification(body=b"id=zz_12"))

    assert [False, False] == [new.known, old.known]
