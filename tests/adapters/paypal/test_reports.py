"""What PayPal lists: of the link to the next page only the place is followed."""

from typing import Any

import pytest

from adapters.paypal import ADAPTER, Settings
from gateway.errors import Unavailable
from gateway.ports.notification import ReportPage
from tests.adapters.paypal.conftest import APP, answer

_PORT = ADAPTER.port("reports", Settings(**APP))
_PLACE = "index_time=2014-09-17T23:07:35Z{0}index_id=3"
_HREF = "https://{1}/v1/notifications/webhooks-events/?page_size=2{0}move_to=next{0}" + _PLACE


def page(*links: Any) -> ReportPage:
    found: ReportPage = answer(
        _PORT.find_reports(0.0, ""), 200, {"events": [{"id": "WH-1"}], "links": links}
    )
    return found


@pytest.mark.parametrize("ampersand", ["&", "&amp;"])
@pytest.mark.parametrize("host", ["api-m.paypal.com", "evil.example"])
def test_the_place_is_taken_from_the_link(ampersand: str, host: str) -> None:
    """Whoever it names: the request goes where all others go."""
    found = page({"rel": "next", "href": _HREF.format(ampersand, host), "method": "GET"})

    request = next(_PORT.find_reports(0.0, found.cursor))

    assert "api-m.paypal.com" == request.url.host
    assert ("next", "2014-09-17T23:07:35Z", "3", "100") == tuple(
        request.url.params[name] for name in ("move_to", "index_time", "index_id", "page_size")
    )


def test_without_a_link_the_list_ends() -> None:
    """The link back is none."""
    assert "" == page().cursor == page({"rel": "previous", "href": "https://x"}).cursor


@pytest.mark.parametrize("href", ["https://api-m.paypal.com/?x=1", "http://[", "/"])
def test_a_link_without_place_is_no_end(href: str) -> None:
    """Else what comes after it would be lost unnoticed."""
    with pytest.raises(Unavailable):
        page({"rel": "next", "href": href})
