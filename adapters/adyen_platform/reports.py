"""Transfers as Adyen lists them: it has no list of events."""

from collections.abc import Mapping
from typing import Final

import httpx
import msgspec

from adapters.adyen_platform import translation, wire
from adapters.adyen_platform.answers import FOUND, TRANSFER, Transfer
from adapters.adyen_platform.settings import Settings
from adapters.adyen_platform.translation import Translation
from gateway.kit import mapping
from gateway.kit.answers import Answer, UnreadableError, moment, seconds, texts
from gateway.ports.exchange import Exchange
from gateway.ports.notification import Report, ReportPage

_TYPE: Final = "balancePlatform.transfer.listed"


# A bank may send money back days after it was booked, and lists go by when a transfer was made.
_RETURNS_S: Final = 14 * 86_400.0


class AdyenPlatformReports:
    """The transfers of the platform's own balance account: all lately, then those to banks before.

    Args:
        mappings: With the tenant's overlays; None for those that are delivered.
    """

    def __init__(
        self, settings: Settings, mappings: Mapping[str, mapping.Mapping] | None = None
    ) -> None:
        self._wire = wire.Wire(settings)
        self._translation = Translation(mappings or translation.load(settings), settings)

    def find_reports(self, since: float, cursor: str) -> Exchange[ReportPage]:
        """One page of transfers, the newest first.

        Source: TransferService-v4 of 2026-07-01 (``GET /transfers``).
        """
        name, _, place = (cursor or "made|").partition("|")
        narrower = {"cursor": place} if place else {}
        if name == "banks":
            narrower |= {"category": "bank", "createdUntil": moment(since)}
            since -= _RETURNS_S
        response = yield self._wire.list_since(since, **narrower)
        page = wire.read(response, FOUND, wrote=False).object
        link = page.links.next.href if page.links.next else ""
        place = httpx.URL(link).params.get("cursor", "")
        following = "banks|" if name == "made" else ""
        return ReportPage(
            reports=tuple(map(self._report, page.data)),
            cursor=f"{name}|{place}" if place else following,
        )

    def _report(self, raw: msgspec.Raw) -> Report:
        """A hint at the transfer, without whose accounts they are: one for each state of it."""
        at = seconds(texts(raw).get("createdAt", ""))
        try:
            transfer = TRANSFER.decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            fields = {key: text for key, text in texts(raw).items() if key in {"id", "status"}}
            return Report(body=msgspec.json.encode({"type": _TYPE, "data": fields}), at=at)
        names = ("id", "category", "reference", "status")
        data = {name: getattr(transfer, name) for name in names}
        return Report(
            body=msgspec.json.encode({"type": _TYPE, "data": data}),
            at=at,
            stands=self._state(Answer(bytes(raw), transfer)),
        )

    def _state(self, answer: Answer[Transfer]) -> str:
        """Where it stands in our words; empty where it has to be read by itself."""
        try:
            match answer.object.category:
                case "bank":
                    return self._translation.payout_in(answer).state.value
                case "internal":
                    return self._translation.transfer_in(answer).state.value
        except (UnreadableError, ValueError):
            pass
        return ""
