"""Events as Stripe lists them, for those that no webhook brought."""

from typing import Final

import msgspec

from adapters.stripe import wire
from adapters.stripe.settings import Settings
from gateway.kit.answers import texts, unclear
from gateway.ports.exchange import Exchange
from gateway.ports.notification import Report, ReportPage

# The most that Stripe gives in one page.
_LIMIT: Final = ("limit", "100")


class _Listed(msgspec.Struct, frozen=True):
    created: float = 0.0


_LISTED: Final = msgspec.json.Decoder(_Listed)


class StripeReports:
    """The events of one account; Stripe lists those of the last 30 days."""

    def __init__(self, settings: Settings, *_mappings: object) -> None:
        self._wire = wire.Wire(settings)

    def find_reports(self, since: float, cursor: str) -> Exchange[ReportPage]:
        """One page of events, each as its webhook has it.

        Source: docs.stripe.com/api/events/list, read 2026-11.
        """
        query = [("created[gte]", str(int(since))), _LIMIT]
        query += [("starting_after", cursor)] if cursor else []
        page = wire.listed((yield self._wire.get("/v1/events", query)))
        ids = [texts(raw).get("id", "") for raw in page.data]
        last = next(filter(None, reversed(ids)), "")
        if page.has_more and not last:
            raise unclear("Stripe's list cannot be read.", "unreadable", wrote=False)
        return ReportPage(
            reports=tuple(Report(body=bytes(raw), at=_created(raw)) for raw in page.data),
            cursor=last if page.has_more else "",
        )


def _created(raw: msgspec.Raw) -> float:
    try:
        return _LISTED.decode(raw).created
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return 0.0
