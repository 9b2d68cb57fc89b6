"""Payments, refunds and chargebacks as Mollie lists them: it has no list of events."""

from collections.abc import Mapping
from typing import Final

import msgspec

from adapters.mollie import wire
from adapters.mollie.settings import Settings
from adapters.mollie.webhooks import MollieWebhooks
from gateway.errors import Rejected
from gateway.kit import mapping
from gateway.kit.answers import seconds, texts
from gateway.model.event import ProviderEvent
from gateway.ports.exchange import Exchange
from gateway.ports.notification import Notification, Report, ReportPage

# One after the other; what happens to an old payment later is a refund or a chargeback.
_NEXT: Final = {"payments": "refunds", "refunds": "chargebacks", "chargebacks": ""}
_LIMIT: Final = {"limit": "250"}


_CHANGES: Final = ("created", "authorized", "paid", "canceled", "expired", "failed")


class MollieReports:
    """The objects of one profile."""

    def __init__(
        self, settings: Settings, mappings: Mapping[str, mapping.Mapping] | None = None
    ) -> None:
        self._wire = wire.Wire(settings)
        self._webhooks = MollieWebhooks(settings, mappings)

    def find_reports(self, since: float, cursor: str) -> Exchange[ReportPage]:
        """One page of one of the lists, until what is on it was made before.

        Source: docs.mollie.com/reference (list-payments, list-all-refunds, list-all-chargebacks),
        read 2026-11.
        """
        name, _, first = (cursor or "payments").partition(":")
        query = {**_LIMIT, "from": first} if first else _LIMIT
        page = wire.listed((yield self._wire.get(f"/{name}", query)))
        listed = [(raw, texts(raw)) for raw in page.objects]
        old = [one for _, one in listed if 0 < seconds(one.get("createdAt", "")) < since]
        reports = tuple(self._report(*each) for each in listed if each[1] not in old)
        following = f"{name}:{page.following}" if page.following and not old else ""
        return ReportPage(reports=reports, cursor=following or _NEXT[name])

    def _report(self, raw: msgspec.Raw, fields: Mapping[str, str]) -> Report:
        own = fields.get("id", "")
        reference = fields.get("paymentId", own)
        if not reference:
            return Report(body=bytes(raw))
        event = {"id": own, "type": "payment.listed", "entityId": own}
        whole = msgspec.json.encode({**event, "_embedded": {"entity": raw}})
        try:
            (said,) = self._webhooks.read(Notification(body=whole))
        except Rejected:
            said = ProviderEvent(event_id="", event_type="", provider_ref=reference)
        at = max(seconds(fields.get(f"{change}At", "")) for change in _CHANGES)
        return Report(body=f"id={reference}".encode(), at=at, said=said)
