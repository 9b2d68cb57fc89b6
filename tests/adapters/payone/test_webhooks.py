"""The webhooks port of PAYONE: the named key, and no other."""

import pytest

from adapters.payone import Settings
from adapters.payone.webhooks import PayoneWebhooks
from gateway.errors import Misconfigured, Rejected
from gateway.ports.notification import Notification, Trust
from tests.adapters.payone.conformance import signed


def port(
    ids: tuple[str, ...] = ("old", "new"), secrets: tuple[str, ...] = ("o", "n")
) -> PayoneWebhooks:
    return PayoneWebhooks(
        Settings(
            merchant_id="P1",
            api_key_id="k",
            api_secret="s",
            webhook_key_ids=ids,
            webhook_secrets=("o", "n"),
        )
    )


def test_the_named_key() -> None:
    """The right secret under another name is refused, and so is a name that nobody knows."""
    assert Trust.SIGNED is port().verify(signed("o", key="old"), now=0)
    assert Trust.SIGNED is port().verify(signed("n", key="new"), now=0)
    for notification in (signed("o", key="new"), signed("n", key="nope"), signed("n", key="")):
        with pytest.raises(Rejected):
            port().verify(notification, now=0)
    without = Notification(headers=signed("n").headers[:1], body=signed("n").body)
    with pytest.raises(Rejected):
        port().verify(without, now=0)
    doubled = Notification(headers=signed("n").headers * 2, body=signed("n").body)
    with pytest.raises(Rejected):
        port().verify(doubled, now=0)


def test_ids_and_secrets_that_do_not_fit() -> None:
    """A mistake in the settings accepts nothing."""
    with pytest.raises(Misconfigured):
        port(ids=("new",)).verify(signed("n"), now=0)


def test_events() -> None:
    """The payment that it is about; an unknown family is marked."""
    (event,) = port().read(signed("n"))
    (new,) = port().read(Notification(body=b'{"id":"1","type":"loan.granted"}'))

    assert ("34b8a607", "payment.captured", "3066_0") == (
        event.event_id,
        event.event_type,
        event.provider_ref,
    )
    assert (True, False) == (event.known, new.known)
