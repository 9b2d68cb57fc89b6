"""What Mollie lists: late chargebacks and refunds of old payments, and where a list ends."""

from typing import Any

import pytest

from adapters.mollie import ADAPTER, Settings
from gateway.ports.notification import Notification, Report
from tests.adapters.mollie.conftest import KEY, NOW
from tests.conformance.subject import pages

_PORT = ADAPTER.port("reports", Settings(api_key=KEY))
_WEBHOOKS = ADAPTER.port("webhooks", Settings(api_key=KEY))


def listed(account: Any, since: float) -> list[Report]:
    return [one for page in pages(account.run, _PORT, since) for one in page.reports]


def test_what_happens_to_an_old_payment_is_listed(account: Any, payment: Any) -> None:
    """Its refund and its chargeback are new, although it is two months old itself."""
    made = account.run(account.payments.create_payment(payment(), key="k"))
    account.now += 60 * 86_400
    account.simulator.charge_back(made.provider_ref, 100, now=account.now, reason="AM04")

    (report,) = listed(account, account.now - 60)

    assert report.said is not None
    assert (made.provider_ref, 1) == (report.said.provider_ref, len(report.said.movements))
    (event,) = _WEBHOOKS.read(Notification(body=report.body))
    assert (True, made.provider_ref) == (event.hint, event.provider_ref)
    assert account.now == report.at


def test_the_payment_says_when_it_changed(account: Any, payment: Any) -> None:
    """Not when it was made: its webhook may still be on its way."""
    ours = payment(token="tkn_challenge", return_url="https://shop.example/x")
    made = account.run(account.payments.create_payment(ours, key="k"))
    account.simulator.pay(made.provider_ref, "paid", now=NOW + 600)

    (report,) = listed(account, NOW - 60)

    assert NOW + 600 == report.at
    assert report.said is not None
    assert report.said.payment is not None
    assert "CAPTURED" == report.said.payment.state.value


@pytest.mark.parametrize("status", ["brand_new", 5])
def test_a_payment_that_cannot_be_read_is_a_hint(
    account: Any, payment: Any, status: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is read by itself, where it can be seen what is wrong."""
    made = account.run(account.payments.create_payment(payment(), key="k"))
    monkeypatch.setattr(account.simulator._payments[made.provider_ref], "status", status)

    (report,) = listed(account, NOW - 60)

    assert f"id={made.provider_ref}".encode() == report.body
    assert report.said is not None
    assert report.said.payment is None
    assert made.provider_ref == report.said.provider_ref
