"""The port ``webhooks``: nothing is believed that is not signed, and everything signed is read."""

from contextlib import suppress

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import Misconfigured, Rejected
from gateway.ports.notification import Notification, Trust
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


def deliveries(account: Account) -> list[Notification]:
    """What the product reports, as sent; where it can pay, of one payment."""
    if account.subject.notices is not None:
        return list(account.subject.notices(account.settings))
    return paid(account)


def paid(account: Account) -> list[Notification]:
    """What the product reports of one payment, as sent."""
    payments = account.subject.adapter.ports["payments"](account.settings)
    subject = account.subject
    payment = samples.payment(token=subject.tokens["accepted"], method=subject.method)
    account.run(payments.create_payment(payment, key="k"))
    account.settle()
    found = [
        Notification(
            headers=tuple((name.lower(), value) for name, value in one.headers.items()),
            body=one.read(),
        )
        for one in account.simulator.due(now=account.now)
    ]
    assert found
    return found


def refusal(account: Account, notification: Notification, now: float = NOW) -> str:
    """The code with which a delivery is refused."""
    with pytest.raises(Rejected) as caught:
        account.port.verify(notification, now=now)
    return caught.value.code


def with_header(notification: Notification, name: str, *values: str) -> Notification:
    """The same with this header once for each value."""
    others = tuple(pair for pair in notification.headers if pair[0] != name)
    added = tuple((name, value) for value in values)
    return msgspec.structs.replace(notification, headers=(*others, *added))


def signed_headers(notification: Notification) -> dict[str, str]:
    """The headers that carry a signature."""
    marks = ("signature", "hmac", "-sig")
    found = {k: v for k, v in notification.headers if any(mark in k for mark in marks)}
    assert found
    return found


def test_genuine_delivery_is_accepted(account: Account) -> None:
    """The bytes as they came; and a minute later still."""
    for one in deliveries(account):
        assert Trust.SIGNED is account.port.verify(one, now=NOW)
        assert Trust.SIGNED is account.port.verify(one, now=NOW + 60)


def test_touched_body_is_refused(account: Account) -> None:
    """A space less, a space more, another amount."""
    for one in deliveries(account):
        body = one.body
        for touched in (body + b" ", body[:-1], body.replace(b"1999", b"1"), b""):
            if touched != body:
                assert refusal(account, msgspec.structs.replace(one, body=touched))


def test_delivery_of_another_account_is_refused(subject: Subject, account: Account) -> None:
    """Its secret is another one, although everything else is the same."""
    for one in deliveries(subject.account("webhooks", 2)):
        assert refusal(account, one)


def test_missing_or_broken_signature_is_refused(account: Account) -> None:
    """Without each header in turn, doubled, or with another value in it."""
    (one, *_) = deliveries(account)
    assert refusal(account, msgspec.structs.replace(one, headers=()))
    for name, value in signed_headers(one).items():
        assert refusal(account, with_header(one, name))
        assert "header_doubled" == refusal(account, with_header(one, name, value, value))
        for wrong in ("", "x", "=", ",", "t=1", "é", value[:-1], value.upper()):
            assert refusal(account, with_header(one, name, wrong))


@pytest.mark.parametrize(
    "dated", [one for one in _SUBJECTS if one.dated], ids=lambda one: one.adapter.product
)
def test_old_delivery_is_refused(dated: Subject) -> None:
    """Whoever recorded it cannot play it again a day later."""
    account = dated.account("webhooks")
    (one, *_) = deliveries(account)

    assert refusal(account, one, now=NOW + 86_400)


def test_without_a_secret_nothing_is_accepted(account: Account) -> None:
    """A forgotten setting must not open the door."""
    assert account.subject.unguarded is not None
    open_port = account.subject.adapter.ports["webhooks"](
        account.subject.unguarded(account.settings)
    )
    for one in deliveries(account):
        with pytest.raises(Misconfigured):
            open_port.verify(one, now=NOW)


def test_events_have_ids_of_their_own(account: Account) -> None:
    """The same whenever they are read, also when each of many is read from what is kept of it."""
    for one in deliveries(account):
        events = account.port.read(one)
        assert events == account.port.read(one)
        assert len(events) == len({event.event_id for event in events})
        assert all(event.event_id and event.event_type for event in events)
        for event in events:
            kept = msgspec.structs.replace(one, body=event.alone or one.body)
            (again,) = account.port.read(kept)
            assert event == msgspec.structs.replace(again, alone=event.alone)


@pytest.mark.parametrize(
    "paying",
    [one for one in _SUBJECTS if "payments" in one.adapter.ports],
    ids=lambda one: one.adapter.product,
)
def test_events_are_about_our_payment(paying: Subject) -> None:
    """At least one has the money, or is a hint by which it is found."""
    account = paying.account("webhooks")
    payment = samples.payment(token="")
    flat = [event for one in paid(account) for event in account.port.read(one)]

    ours = [one for one in flat if one.payment_id == payment.payment_id]
    told = [one.payment for one in ours if one.payment]
    if not told:
        assert ours[0].hint
        payments = paying.adapter.ports["payments"](account.settings)
        asked = msgspec.structs.replace(payment, provider_ref=ours[0].provider_ref)
        told = [account.run(payments.find_payment(asked))]
    assert payment.amount in [one.captured for one in told]


@pytest.mark.parametrize("each", _SUBJECTS, ids=lambda one: one.adapter.product)
@given(body=st.binary(max_size=300) | st.text(max_size=100).map(str.encode))
def test_any_bytes_are_read_or_refused(each: Subject, body: bytes) -> None:
    """Nothing that a provider sends breaks the receiver."""
    account = each.account("webhooks")

    with suppress(Rejected):
        assert isinstance(account.port.read(Notification(body=body)), tuple)


@pytest.mark.parametrize("number", range(30))
def test_mutilated_events_are_read_or_refused(account: Account, number: int) -> None:
    """A genuine event that is cut anywhere, or has a value of another type."""
    for one in deliveries(account):
        body = one.body
        cut = body[: len(body) * number // 30]
        swapped = body.replace(b'"', b"", number + 1)
        retyped = body.replace(b":1999", b':"1999"').replace(b":true", b":7")
        for mutilated in (cut, swapped, retyped):
            with suppress(Rejected):
                read = account.port.read(msgspec.structs.replace(one, body=mutilated))
                assert isinstance(read, tuple)
