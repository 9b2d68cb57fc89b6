"""Checkouts as PAYONE lists them: it has no list of events."""

from collections.abc import Mapping
from typing import Final

import msgspec

from adapters.payone import translation, wire
from adapters.payone.settings import Settings
from adapters.payone.translation import Translation
from adapters.payone.translation_objects import CHECKOUT, CHECKOUTS
from gateway.kit import mapping
from gateway.kit.answers import Answer, UnreadableError, moment, seconds, texts
from gateway.model.event import ProviderEvent
from gateway.ports.exchange import Exchange
from gateway.ports.notification import Report, ReportPage

_SIZE: Final = 100
# PAYONE gives no more of one list, however it is paged.
_MOST: Final = 10_000
# A debit that nobody authorised can come back for 13 months.
_RETURNS_S: Final = 400 * 86_400.0


class PayoneReports:
    """The checkouts of one merchant: those that were made lately, then all that came back.

    Args:
        mappings: With the tenant's overlays; None for those that are delivered.
    """

    def __init__(
        self, settings: Settings, mappings: Mapping[str, mapping.Mapping] | None = None
    ) -> None:
        self._wire = wire.Wire(settings)
        self._translation = Translation(mappings or translation.load(settings))

    def find_reports(self, since: float, cursor: str) -> Exchange[ReportPage]:
        """One page of checkouts.

        Source: API definition 1.61.0 (``getCheckouts``).
        """
        name, until, offset = (cursor or "made||0").split("|")
        query = {"size": str(_SIZE), "offset": offset, "fromDate": moment(since)}
        if name == "returned":
            query |= {"fromDate": moment(since - _RETURNS_S), "fromChargebackAmount": "1"}
        query |= {"toDate": until} if until else {}
        response = yield self._wire.get("/checkouts", query)
        gone = wire.missing(response)
        raws = () if gone else wire.answer(response, CHECKOUTS, wrote=False).object.checkouts
        following = "returned||0" if name == "made" else ""
        if len(raws) >= _SIZE:
            following = f"{name}|{until}|{int(offset) + _SIZE}"
            if int(offset) + _SIZE >= _MOST:
                following = f"{name}|{texts(raws[-1]).get('creationDateTime', '')}|0"
        return ReportPage(reports=tuple(map(self._report, raws)), cursor=following)

    def _report(self, raw: msgspec.Raw) -> Report:
        fields = texts(raw)
        if "checkoutId" not in fields:
            return Report(body=bytes(raw))
        hint = {"id": fields["checkoutId"], "type": "checkout.listed"}
        at = seconds(fields.get("creationDateTime", ""))
        try:
            checkout = CHECKOUT.decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return Report(body=msgspec.json.encode(hint), at=at)
        hint["merchantReference"] = ours = checkout.references.merchant_reference
        paid = None
        try:
            (execution,) = checkout.payment_executions
            done = [one.creation_date_time for _, one in execution.read_events]
            at = max([at, *map(seconds, done)])
            paid = self._translation.payment_in(Answer(raw, checkout), execution)
        except (UnreadableError, ValueError):
            pass  # it has to be read by itself, if it is ours
        said = ProviderEvent(event_id="", event_type="", payment_id=ours, payment=paid)
        return Report(body=msgspec.json.encode(hint), at=at, said=said)
