"""What Stripe lists: where a page ends."""

from typing import Any

import httpx
import pytest

from adapters.stripe import ADAPTER, Settings
from gateway.errors import Unavailable
from gateway.kit.blocking import run
from gateway.ports.notification import ReportPage

_PORT = ADAPTER.port("reports", Settings(secret_key="sk_test_1"))


def page(*data: Any, more: bool = True) -> ReportPage:
    found: ReportPage = run(
        _PORT.find_reports(0.0, ""),
        lambda one: httpx.Response(200, json={"data": data, "has_more": more}, request=one),
    )
    return found


def test_a_page_goes_on_after_its_last_id() -> None:
    """The last that can be read: what follows it may come twice, and is never left out."""
    first, last = {"id": "evt_1", "created": 7}, {"id": "evt_2", "created": 6}

    assert "evt_2" == page(first, last).cursor
    assert "evt_1" == page(first, {"id": 5}).cursor
    assert "" == page(first, last, more=False).cursor
    assert [7.0, 0.0] == [one.at for one in page(first, 5).reports]


def test_a_page_without_any_id_is_no_end() -> None:
    """Else what comes after it would be lost unnoticed."""
    with pytest.raises(Unavailable):
        page(5, {})
    with pytest.raises(Unavailable):
        page()
