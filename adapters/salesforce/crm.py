"""Accounts and opportunities, upserted by our own ids."""

from collections.abc import Mapping

import httpx

from adapters.salesforce import faults, translation, wire
from adapters.salesforce.settings import Settings
from adapters.salesforce.translation import Record, Translation
from gateway.kit import mapping
from gateway.model.order import Order
from gateway.model.party import Party
from gateway.model.reference import EntityKind, ExternalReference
from gateway.ports.exchange import Exchange

_KINDS = {
    translation.ACCOUNT: EntityKind.ACCOUNT,
    translation.OPPORTUNITY: EntityKind.OPPORTUNITY,
}


class SalesforceCrm:
    """The port ``crm`` over the REST API.

    Salesforce takes no idempotency key: the external id in the path is what makes a repetition an
    update instead of a second record.

    Args:
        mappings: With the tenant's overlays; None for those that are delivered.
    """

    def __init__(
        self, settings: Settings, mappings: Mapping[str, mapping.Mapping] | None = None
    ) -> None:
        self._settings = settings
        self._translation = Translation(settings, mappings or translation.load(settings))

    def upsert_account(
        self,
        party: Party,
        *,
        key: str,  # noqa: ARG002 - the external id does its work
    ) -> Exchange[ExternalReference]:
        """Make or update the account of our party, by external id."""
        record = self._translation.account(party)
        return (yield from self._upsert(translation.ACCOUNT, party.party_id, record))

    def find_account(self, party_id: str) -> Exchange[ExternalReference | None]:
        """The account of our party, if there is one."""
        return (yield from self._find(translation.ACCOUNT, party_id))

    def upsert_opportunity(
        self,
        order: Order,
        account: str,
        *,
        key: str,  # noqa: ARG002 - the external id does its work
    ) -> Exchange[ExternalReference]:
        """Make or update the opportunity of our order; its stage follows the order's state."""
        record = self._translation.opportunity(order, account)
        return (yield from self._upsert(translation.OPPORTUNITY, order.order_id, record))

    def find_opportunity(self, order_id: str) -> Exchange[ExternalReference | None]:
        """The opportunity of our order, if there is one."""
        return (yield from self._find(translation.OPPORTUNITY, order_id))

    def _upsert(self, sobject: str, entity_id: str, record: Record) -> Exchange[ExternalReference]:
        external_id = wire.external_id(entity_id)
        response = yield wire.record_request(
            self._settings, "PATCH", sobject, external_id, record.body, made_by=record.made_by
        )
        faults.check(response, writes=True)
        if response.status_code == httpx.codes.NO_CONTENT:
            # Before 46.0 an update is answered without a body, so the id has to be read.
            response = yield wire.record_request(self._settings, "GET", sobject, external_id)
            faults.check_after_write(response)
            return _reference(sobject, entity_id, wire.row_id(response, writes=True), created=False)
        created = response.status_code == httpx.codes.CREATED
        return _reference(sobject, entity_id, wire.saved_id(response), created=created)

    def _find(self, sobject: str, entity_id: str) -> Exchange[ExternalReference | None]:
        external_id = wire.external_id(entity_id)
        response = yield wire.record_request(self._settings, "GET", sobject, external_id)
        if faults.missing(response):
            return None
        faults.check(response, writes=False)
        return _reference(sobject, entity_id, wire.row_id(response, writes=False), created=False)


def _reference(
    sobject: str, entity_id: str, salesforce_id: str, *, created: bool
) -> ExternalReference:
    return ExternalReference(
        entity=_KINDS[sobject],
        entity_id=entity_id,
        system="salesforce",
        external_id=salesforce_id,
        created=created,
    )
