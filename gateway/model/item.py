"""Items: what is sold, line by line."""

from typing import Annotated

import msgspec
from msgspec import Meta

from gateway.model.money import Money


class OrderItem(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One line of an order.

    Attributes:
        product_id: Material or offering, in the spelling of the system of record.
        quantity: Whole units.
        unit_price: Gross price of one unit, in the currency of the order.
    """

    product_id: Annotated[str, Meta(min_length=1, max_length=40, pattern="^[A-Za-z0-9._/-]+$")]
    description: Annotated[str, Meta(max_length=200)] = ""
    quantity: Annotated[int, Meta(ge=1, le=99_999)]
    unit_price: Money
