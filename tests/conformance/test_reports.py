"""The port ``reports``: the list has what webhooks told, page by page, and hides nothing."""

import json
from collections.abc import Callable
from typing import Any, Final

import httpx
import msgspec
import pytest

from gateway.errors import Misconfigured, Unavailable
from gateway.model.event import ProviderEvent
from gateway.ports.notification import Notification, Report
from tests.conformance import samples
from tests.conformance.subject import NOW, Account, Subject, fulfilling, pages

_SUBJECTS: Final = [one for one in fulfilling("reports") if "payments" in one.adapter.ports]
_SOME: Final = 65
_MOST: Final = 520  # more than a page of any product


@pytest.fixture(params=_SUBJECTS, ids=lambda one: one.adapter.product)
def subject(request: pytest.FixtureRequest) -> Subject:
    found: Subject = request.param
    return found


@pytest.fixture
def account(subject: Subject) -> Account:
    return subject.account("reports")


def pay(account: Account, number: int = 1) -> str:
    """A payment that is made and settled; our id of it."""
    subject = account.subject
    payments = subject.adapter.ports["payments"](account.settings)
    payment = samples.payment(number, token=subject.tokens["accepted"], method=subject.method)
    account.run(payments.create_payment(payment, key=f"k{number}"))
    return payment.payment_id


def listed(account: Account, since: float = NOW - 60) -> tuple[list[Report], int]:
    """Everything that is listed, and on how many pages."""
    before = len(account.sent)
    found = list(pages(account.run, account.port, since))
    assert len(account.sent) - before == len(found), "a page is a request"
    return [report for page in found for report in page.reports], len(found)


def read(account: Account, report: Report) -> ProviderEvent:
    """The report as the receiver reads it."""
    port = account.subject.adapter.ports["webhooks"](account.settings)
    (event,) = port.read(Notification(body=report.body))
    found: ProviderEvent = event
    return found


def told(event: ProviderEvent) -> bool:
    """Whether it says something of a payment."""
    return bool(event.payment or event.movements or event.hint)


def test_the_list_tells_what_webhooks_told(account: Account) -> None:
    """The same events under the same ids; of objects the payment, as the webhooks have it."""
    payment_id = pay(account)
    account.settle()
    heard = {one.event_id: one for one in account.reported()}

    found, _ = listed(account)

    assert found
    assert all(NOW - 1 <= one.at <= account.now for one in found)
    if found[0].said is None:
        events = {event.event_id: event for event in (read(account, one) for one in found)}
        assert {k for k, v in heard.items() if told(v)} <= events.keys()
        assert [heard[key] for key in heard] == [
            msgspec.structs.replace(events[key], alone=heard[key].alone) for key in heard
        ]
        return
    (said,) = (one.said for one in found)
    assert said is not None
    assert payment_id == said.payment_id
    assert said.payment is not None
    assert read(account, found[0]).hint
    furthest = [one.payment.state for one in heard.values() if one.payment]
    assert said.payment.state in furthest


def test_every_page_is_listed(account: Account) -> None:
    """Nothing is left out between two pages, and nothing comes twice."""
    ids, found, few = set[str](), list[Report](), listed(account)[1]
    for start in range(0, _MOST, _SOME):
        ids |= {pay(account, number) for number in range(start, start + _SOME)}
        account.settle()
        account.reported()
        found, now = listed(account)
        if now > few:
            break
    else:
        pytest.fail("it never came to a second page")

    whose = [(one.said or read(account, one)).payment_id for one in found]
    assert ids == set(whose) - {""}
    bodies = [one.body for one in found]
    assert len(bodies) == len(set(bodies))


def test_what_was_before_is_not_listed(account: Account) -> None:
    """Clocks differ by minutes, not by an hour."""
    before = pay(account, 1)
    account.now += 3_600
    after = pay(account, 2)

    found, _ = listed(account, since=account.now - 60)

    whose = {(one.said or read(account, one)).payment_id for one in found}
    assert (after in whose, before in whose) == (True, False)


@pytest.mark.parametrize("entry", [5, "x", None, {}, {"id": 5}, {"id": "x", "createdAt": "never"}])
def test_a_bad_entry_does_not_hide_the_others(account: Account, entry: Any) -> None:
    """It comes as it is, so that it can be kept for a person."""
    payment_id = pay(account)
    account.settle()
    whole, _ = listed(account)

    with account._failing(_with_entry(account, entry)):
        found, _ = listed(account)

    kept = [one for one in found if one in whole]
    assert whole == kept
    assert payment_id in {(one.said or read(account, one)).payment_id for one in kept}


def _with_entry(account: Account, entry: Any) -> Callable[[httpx.Request], httpx.Response | None]:
    """Answers whose lists begin with something else."""

    def spoil(request: httpx.Request) -> httpx.Response | None:
        answer = account._answer(request)
        content = json.loads(answer.content)
        lists = [one for one in _values(content) if isinstance(one, list)]
        for one in lists:
            one.insert(0, entry)
        return httpx.Response(answer.status_code, json=content, request=request)

    return spoil


def _values(content: dict[str, Any]) -> list[Any]:
    inner = content.get("_embedded", {})
    return [value for name, value in [*content.items(), *inner.items()] if name != "links"]


def test_a_list_that_is_away_is_unavailable(account: Account) -> None:
    """Nothing is taken for an empty list."""
    for status in (429, 500, 503):
        with account.refusing(status, reads=True), pytest.raises(Unavailable):
            listed(account)
    page = account._failing(lambda one: httpx.Response(200, text="<html>", request=one))
    with page, pytest.raises(Unavailable):
        listed(account)


def test_a_key_that_may_not_ask_is_our_mistake(account: Account) -> None:
    """Somebody has to give it the right to read events."""
    with account.refusing(403, reads=True), pytest.raises(Misconfigured):
        listed(account)
