"""Events as PayPal lists them, for those that no webhook brought."""

from typing import Final
from urllib.parse import urlencode

import httpx
import msgspec

from adapters.paypal import wire
from adapters.paypal.settings import Settings
from gateway.kit.answers import moment, seconds, texts, unclear
from gateway.ports.exchange import Exchange
from gateway.ports.notification import Report, ReportPage

_PATH: Final = "/v1/notifications/webhooks-events"
# Where the next page begins; of the link to it nothing else is followed.
_PLACE: Final = ("index_time", "index_id")


class _Page(msgspec.Struct, frozen=True):
    events: tuple[msgspec.Raw, ...] = ()
    links: tuple[dict[str, str], ...] = ()


_PAGE: Final = msgspec.json.Decoder(_Page)


class PayPalReports:
    """The events of one app."""

    def __init__(self, settings: Settings, *_mappings: object) -> None:
        self._wire = wire.Wire(settings)

    def find_reports(self, since: float, cursor: str) -> Exchange[ReportPage]:
        """One page of events, each as its webhook has it.

        Source: notifications_webhooks_v1.json of 2024-02 (``webhooks-events.list``), with the
        example of a link in PayPal's reference; read 2026-11.
        """
        query = urlencode({"page_size": "100", "start_time": moment(since)})
        place = f"&move_to=next&{cursor}" if cursor else ""
        response = yield self._wire.get(f"{_PATH}?{query}{place}")
        page = wire.read(response, _PAGE, wrote=False)
        reports = tuple(
            Report(body=bytes(raw), at=seconds(texts(raw).get("create_time", "")))
            for raw in page.events
        )
        return ReportPage(reports=reports, cursor=_cursor(page) if reports else "")


def _cursor(page: _Page) -> str:
    """The place that the link to the next page names; empty where there is no such link."""
    link = next((one.get("href") for one in page.links if one.get("rel") == "next"), None)
    if not link:
        return ""
    try:
        # Their own examples write the ampersand as HTML does.
        params = httpx.URL(link.replace("&amp;", "&")).params
        return urlencode({name: params[name] for name in _PLACE})
    except (httpx.InvalidURL, KeyError) as error:
        raise unclear("PayPal's list cannot be read.", "unreadable", wrote=False) from error
