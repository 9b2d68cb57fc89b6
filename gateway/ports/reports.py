"""Reports: the provider's own list of what happened, for what its webhooks did not bring."""

from typing import Protocol

from gateway.ports.exchange import Exchange
from gateway.ports.notification import ReportPage


class Reports(Protocol):
    """A product that can be asked what happened."""

    def find_reports(self, since: float, cursor: str) -> Exchange[ReportPage]:
        """One page of what happened, the newest first; one request.

        Where only objects are listed, ``since`` bounds when they were made. What cannot be read
        comes all the same, so that one bad entry does not hide the others.

        Args:
            since: Seconds since the epoch.
            cursor: As the page before said it; empty for the first.
        """
        ...
