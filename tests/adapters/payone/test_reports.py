"""What PAYONE lists: checkouts, those with chargebacks, and more than it gives of one list."""

import json
from typing import Any

import httpx
import msgspec
import pytest

from adapters.payone import ADAPTER
from adapters.payone import reports as module
from gateway.kit.blocking import run
from gateway.model.movement import MovementKind
from gateway.ports.notification import Notification, Report
from tests.adapters.payone import conformance
from tests.conformance.subject import pages

_SETTINGS = conformance._connect(1)[0]
_PORT = ADAPTER.port("reports", _SETTINGS)
_WEBHOOKS = ADAPTER.port("webhooks", _SETTINGS)


def listed(account: Any, since: float) -> list[Report]:
    return [one for page in pages(account.run, _PORT, since) for one in page.reports]


def test_a_chargeback_of_an_old_checkout_is_listed(account: Any, payment: Any) -> None:
    """A payer has months to take the money back."""
    ours = account.create(payment())
    account.create(payment(payment_id="other"), "k2")
    account.now += 300 * 86_400
    account.simulator.charge_back(ours.payment_id, 100, now=account.now)

    (report,) = listed(account, account.now - 60)

    assert report.said is not None
    assert report.said.payment is not None
    assert ours.payment_id == report.said.payment_id
    assert MovementKind.DISPUTE in {one.kind for one in report.said.payment.movements}
    assert account.now == report.at
    (event,) = _WEBHOOKS.read(Notification(body=report.body))
    assert (True, ours.payment_id, "") == (event.hint, event.payment_id, event.provider_ref)


def test_only_ids_are_kept(account: Any, payment: Any) -> None:
    """A checkout may hold names and addresses, and the hint needs none of it."""
    account.create(payment())

    (report,) = listed(account, account.now - 60)

    assert {"id", "type", "merchantReference"} == json.loads(report.body).keys()


@pytest.mark.parametrize(
    "spoilt",
    [
        {"paymentExecutions": []},
        {"paymentExecutions": [{"paymentExecutionId": "x", "events": [5]}]},
        {"amountOfMoney": {"amount": 1, "currencyCode": "???"}},
    ],
)
def test_a_checkout_that_cannot_be_compared_is_read_by_itself(
    account: Any, payment: Any, spoilt: dict[str, Any]
) -> None:
    """If it is one of ours, which its reference tells."""
    ours = account.create(payment())

    def spoil(request: httpx.Request) -> httpx.Response:
        content = json.loads(account.send(request).content)
        content["checkouts"] = [{**one, **spoilt} for one in content["checkouts"]]
        return httpx.Response(200, json=content)

    session = run(ADAPTER.login(_SETTINGS), account.send)  # type: ignore[misc] # PAYONE has one
    page = run(
        _PORT.find_reports(account.now - 60, ""),
        lambda one: spoil(session.apply(one, now=account.now)),
    )

    (report,) = page.reports
    assert report.said is not None
    assert (None, ours.payment_id) == (report.said.payment, report.said.payment_id)


def test_a_longer_list_than_is_given_goes_on_by_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no further page is given the next list ends where this one did."""
    monkeypatch.setattr(module, "_SIZE", 1)
    monkeypatch.setattr(module, "_MOST", 2)
    asked: list[httpx.QueryParams] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.params)
        day = 9 - len(asked)
        one = {"checkoutId": f"c{len(asked)}", "creationDateTime": f"2026-11-0{day}T00:00:00Z"}
        found = [one] if len(asked) <= 3 else []
        return httpx.Response(200, content=msgspec.json.encode({"checkouts": found}))

    found = list(pages(lambda exchange: run(exchange, answer), _PORT, 0.0))

    assert [("0", ""), ("1", ""), ("0", "2026-11-07T00:00:00Z"), ("1", "2026-11-07T00:00:00Z")] == [
        (one["offset"], one.get("toDate", "")) for one in asked[:4]
    ]
    assert ["1"] == [one["fromChargebackAmount"] for one in asked[4:]]
    assert 3 == sum(len(page.reports) for page in found)
