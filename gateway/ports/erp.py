"""Enterprise resource planning: the system of record for partners and sales orders."""

from typing import Protocol

from gateway.model.order import Order
from gateway.model.party import Party
from gateway.model.reference import ExternalReference
from gateway.ports.exchange import Exchange


class Erp(Protocol):
    """What any ERP must be able to do."""

    def upsert_business_partner(self, party: Party, *, key: str) -> Exchange[ExternalReference]:
        """Make the business partner, or find the one made before."""
        ...

    def find_business_partner(self, party_id: str) -> Exchange[ExternalReference | None]:
        """The business partner of our party, if there is one."""
        ...

    def create_sales_order(
        self, order: Order, business_partner: str, *, key: str
    ) -> Exchange[ExternalReference]:
        """Make a sales order that carries our order id as its external reference."""
        ...

    def find_sales_order(self, order_id: str) -> Exchange[ExternalReference | None]:
        """The sales order of our order, if there is one."""
        ...

    def cancel_sales_order(
        self, order_id: str, sales_order: str, *, key: str
    ) -> Exchange[ExternalReference]:
        """Reject every item of the sales order; one that is rejected already stays so."""
        ...
