"""Events as GoCardless lists them, for those that no webhook brought."""

from datetime import UTC, datetime

from adapters.gocardless import wire
from adapters.gocardless.settings import Settings
from gateway.kit.answers import seconds, texts
from gateway.ports.exchange import Exchange
from gateway.ports.notification import Report, ReportPage


class GoCardlessReports:
    """The events of one creditor."""

    def __init__(self, settings: Settings, *_mappings: object) -> None:
        self._wire = wire.Wire(settings)

    def find_reports(self, since: float, cursor: str) -> Exchange[ReportPage]:
        """One page of events, each as a webhook with this one only has it.

        Source: developer.gocardless.com/api-reference, list events, read 2026-11.
        """
        first = (wire.since(datetime.fromtimestamp(since, UTC).isoformat()), wire.LIMIT)
        query = (*first, ("after", cursor)) if cursor else first
        response = yield self._wire.get("/events", query)
        events, after = wire.listed(response, "events")
        reports = tuple(
            Report(
                body=b'{"events":[%s]}' % bytes(raw),
                at=seconds(texts(raw).get("created_at", "")),
            )
            for raw in events
        )
        return ReportPage(reports=reports, cursor=after)
