"""Risk: whether to accept an order, and with which payment methods."""

from typing import Protocol

from gateway.model.order import Order
from gateway.model.risk import RiskAssessment
from gateway.ports.exchange import Exchange


class Risk(Protocol):
    """What any risk bureau or rule table must be able to do."""

    def assess(self, order: Order, *, key: str) -> Exchange[RiskAssessment]:
        """Decide; the same key gives the same assessment id."""
        ...
