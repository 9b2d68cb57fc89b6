"""The port ``webhooks``: nothing is believed that is not signed, and everything signed is read."""

from collections.abc import Mapping
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import Misconfigured, Rejected
from tests.conformance import samples
from tests.conformance.subject import NOW, Account, Subject, fulfilling

_SUBJECTS = fulfilling("webhooks")


@pytest.fixture(params=_SUBJECTS, ids=lambda one: one.adapter.product)
def subject(request: pytest.FixtureRequest) -> Subject:
    found: Subject = request.param
    return found


@pytest.fixture
def account(subject: Subject) -> Account:
    return subject.account("webhooks")


def deliveries(account: Account) -> list[tuple[dict[str, str], bytes]]:
    """What the product reports of one payment, headers in lower case and body as sent."""
    payments = account.subject.adapter.ports["payments"](account.settings)
    payment = samples.payment(token=account.subject.tokens["accepted"])
    account.run(payments.create_payment(payment, key="k"))
    found = [
        ({name.lower(): value for name, value in one.headers.items()}, one.read())
        for one in account.simulator.due(now=NOW)
    ]
    assert found
    return found


def refusal(account: Account, headers: Mapping[str, str], body: bytes, now: float = NOW) -> str:
    """The code with which a delivery is refused."""
    with pytest.raises(Rejected) as caught:
        account.port.verify(headers, body, now=now)
    return caught.value.code


def test_genuine_delivery_is_accepted(account: Account) -> None:
    """The bytes as they came; and a minute later still."""
    for headers, body in deliveries(account):
        account.port.verify(headers, body, now=NOW)
        account.port.verify(headers, body, now=NOW + 60)


def test_touched_body_is_refused(account: Account) -> None:
    """A space less, a space more, another amount."""
    for headers, body in deliveries(account):
        for touched in (body + b" ", body[:-1], body.replace(b"1999", b"1"), b""):
            if touched != body:
                assert refusal(account, headers, touched)


def test_delivery_of_another_account_is_refused(subject: Subject, account: Account) -> None:
    """Its secret is another one, although everything else is the same."""
    for headers, body in deliveries(subject.account("webhooks", 2)):
        assert refusal(account, headers, body)


def test_missing_or_broken_signature_is_refused(account: Account) -> None:
    """Without each header in turn, or with another value in it."""
    ((headers, body), *_) = deliveries(account)
    signed = [name for name in headers if "signature" in name or "hmac" in name]
    assert signed
    assert refusal(account, {}, body)
    for name in signed:
        for value in ("", "x", "=", ",", "t=1", "é", headers[name][:-1], headers[name].upper()):
            assert refusal(account, headers | {name: value}, body)


def test_old_delivery_is_refused(account: Account) -> None:
    """Whoever recorded it cannot play it again a day later."""
    ((headers, body), *_) = deliveries(account)

    assert refusal(account, headers, body, now=NOW + 86_400)


def test_without_a_secret_nothing_is_accepted(account: Account) -> None:
    """A forgotten setting must not open the door."""
    assert account.subject.unguarded is not None
    open_port = account.subject.adapter.ports["webhooks"](
        account.subject.unguarded(account.settings)
    )
    for headers, body in deliveries(account):
        with pytest.raises(Misconfigured):
            open_port.verify(headers, body, now=NOW)


def test_events_are_about_our_payment(account: Account) -> None:
    """Each has an id of its own, the same whenever it is read, and at least one has the money."""
    payment = samples.payment(token="")
    events = [account.port.read(body) for _, body in deliveries(account) for _ in range(2)]

    assert events[::2] == events[1::2]
    flat = [event for read in events[::2] for event in read]
    assert len(flat) == len({event.event_id for event in flat})
    assert all(event.event_id and event.event_type for event in flat)
    ours = [one.payment for one in flat if one.payment and one.payment_id == payment.payment_id]
    assert payment.amount in [one.captured for one in ours]


@pytest.mark.parametrize("each", _SUBJECTS, ids=lambda one: one.adapter.product)
@given(body=st.binary(max_size=300) | st.text(max_size=100).map(str.encode))
def test_any_bytes_are_read_or_refused(each: Subject, body: bytes) -> None:
    """Nothing that a provider sends breaks the receiver."""
    account = each.account("webhooks")

    with suppress(Rejected):
        assert isinstance(account.port.read(body), tuple)


@pytest.mark.parametrize("number", range(30))
def test_mutilated_events_are_read_or_refused(account: Account, number: int) -> None:
    """A genuine event that is cut anywhere, or has a value of another type."""
    for _, body in deliveries(account):
        cut = body[: len(body) * number // 30]
        swapped = body.replace(b'"', b"", number + 1)
        retyped = body.replace(b":1999", b':"1999"').replace(b":true", b":7")
        for mutilated in (cut, swapped, retyped):
            with suppress(Rejected):
                assert isinstance(account.port.read(mutilated), tuple)
