"""What a conversation itself needs of GoCardless's resources: whose they are, and the amounts.

All else is read by the mappings, from the same bytes. Source: the fixtures of gocardless-pro-python
and the types of gocardless-nodejs, read 2026-11.
"""

from typing import Any, Final, Generic, TypeVar

import msgspec

T = TypeVar("T")


class Links(msgspec.Struct, frozen=True, kw_only=True):
    """What a resource belongs to."""

    payment: str = ""
    refund: str = ""


class Debit(msgspec.Struct, frozen=True, kw_only=True):
    """A payment of theirs."""

    id: str
    amount: int
    currency: str
    status: str
    metadata: dict[str, str] = {}


class Refund(msgspec.Struct, frozen=True, kw_only=True):
    """A refund of theirs."""

    id: str
    amount: int
    currency: str
    status: str
    links: Links
    metadata: dict[str, str] = {}


class Details(msgspec.Struct, frozen=True, kw_only=True):
    """Why something happened."""

    cause: str = ""


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened to a resource.

    Attributes:
        resource_metadata: Of the resource, as it was sent when it was made.
    """

    id: str
    resource_type: str
    action: str
    created_at: str = ""
    links: Links | None = None
    details: Details = Details()
    resource_metadata: dict[str, Any] = {}


class Page(msgspec.Struct, Generic[T], frozen=True):
    """One page of a list.

    Attributes:
        after: Where the next one begins; empty at the end.
    """

    data: tuple[T, ...]
    after: str


DEBIT: Final = msgspec.json.Decoder(Debit)
REFUND: Final = msgspec.json.Decoder(Refund)
EVENT: Final = msgspec.json.Decoder(Event)
