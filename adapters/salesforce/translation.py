"""The mappings of Salesforce with the settings of one org, and what their failures mean."""

from collections.abc import Mapping as Values
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from adapters.salesforce.settings import Settings
from gateway.errors import Rejected
from gateway.kit.mapping import Document, Made, Mapping, MappingFailure, encode, pointing
from gateway.kit.mapping.installed import mappings_of
from gateway.kit.mapping.runtime import TooLong
from gateway.model.order import Order
from gateway.model.party import Party

ACCOUNT: Final = "Account"
OPPORTUNITY: Final = "Opportunity"

# The mapping's name of the field for the VAT id; each org has its own.
_VAT_ID: Final = "VAT_ID__c"


class Record(msgspec.Struct, frozen=True):
    """A record as JSON.

    Attributes:
        made_by: The mapping that it comes from.
    """

    body: bytes
    made_by: str


class Translation:
    """Records of one org.

    Args:
        mappings: As ``load`` makes them.
    """

    def __init__(self, settings: Settings, mappings: Values[str, Mapping]) -> None:
        self._mappings = mappings
        self._vat_id_field = settings.vat_id_field

    def account(self, party: Party) -> Record:
        """The Account of a party."""
        return self._record(ACCOUNT, party)

    def opportunity(self, order: Order, account_id: str) -> Record:
        """The Opportunity of an order."""
        return self._record(OPPORTUNITY, order, {"account": account_id})

    def _record(
        self, sobject: str, source: Party | Order, needs: Values[str, Any] | None = None
    ) -> Record:
        made = self._mappings[sobject.lower()]
        try:
            fields: dict[str, Any] = made.apply(source, needs)
        except MappingFailure as failure:
            if not isinstance(failure.__cause__, TooLong):
                raise pointing.refusal(failure, made, source) from failure
            # Salesforce cuts nothing: one character too many refuses the record anyway.
            raise Rejected(
                "A field of the record is longer than Salesforce takes.",
                code="field_too_long",
                detail=f"{sobject}{failure.path.replace('/', '.')}",
            ) from failure
        if _VAT_ID in fields:
            fields[self._vat_id_field] = fields.pop(_VAT_ID)
        return Record(encode(fields), made.reference)


def load(settings: Settings, *, overlays: Sequence[Document] = (), tenant: str = "") -> Made:
    """The mappings for one org: the installed ones, its settings, the tenant's overlays.

    Raises:
        Refused: One of them does not fit Salesforce's fields.
    """
    config = {
        "country_codes": settings.country_field == "BillingCountryCode",
        "vat_id": bool(settings.vat_id_field),
        "line_break": "\n",
        "stages": {
            "open": settings.stage_open,
            "won": settings.stage_won,
            "lost": settings.stage_lost,
        },
        "multi_currency": settings.multi_currency,
        "currency": settings.currency,
    }
    return mappings_of("salesforce", config, overlays=overlays, tenant=tenant)
