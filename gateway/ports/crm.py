"""Customer relationship management: who the customer is to sales."""

from typing import Protocol

from gateway.model.order import Order
from gateway.model.party import Party
from gateway.model.reference import ExternalReference
from gateway.ports.exchange import Exchange


class Crm(Protocol):
    """What any CRM must be able to do."""

    def upsert_account(self, party: Party, *, key: str) -> Exchange[ExternalReference]:
        """Make or update the account of our party, by external id."""
        ...

    def find_account(self, party_id: str) -> Exchange[ExternalReference | None]:
        """The account of our party, if there is one."""
        ...

    def upsert_opportunity(
        self, order: Order, account: str, *, key: str
    ) -> Exchange[ExternalReference]:
        """Make or update the opportunity of our order; its stage follows the order's state."""
        ...

    def find_opportunity(self, order_id: str) -> Exchange[ExternalReference | None]:
        """The opportunity of our order, if there is one."""
        ...
