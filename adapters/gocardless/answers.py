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
    mandate: str = ""
    billing_request: str = ""


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


class MandateLinks(msgspec.Struct, frozen=True, kw_only=True):
    """What a mandate belongs to.

    Attributes:
        new_mandate: What has replaced it.
    """

    new_mandate: str = ""


class Mandate(msgspec.Struct, frozen=True, kw_only=True):
    """A mandate of theirs."""

    id: str
    status: str
    links: MandateLinks = MandateLinks()


class RequestLinks(msgspec.Struct, frozen=True, kw_only=True):
    """What a billing request has made."""

    mandate_request_mandate: str | None = None


class BillingRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What a payer is asked to agree to."""

    id: str
    status: str
    links: RequestLinks = RequestLinks()
    metadata: dict[str, str] = {}


class PageLinks(msgspec.Struct, frozen=True, kw_only=True):
    """What a page is for."""

    billing_request: str = ""


class RequestPage(msgspec.Struct, frozen=True, kw_only=True):
    """The page on which a payer agrees; theirs: billing request flow."""

    authorisation_url: str
    expires_at: str | None = None
    links: PageLinks = PageLinks()


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
MANDATE: Final = msgspec.json.Decoder(Mandate)
REQUEST: Final = msgspec.json.Decoder(BillingRequest)
PAGE: Final = msgspec.json.Decoder(RequestPage)
EVENT: Final = msgspec.json.Decoder(Event)
