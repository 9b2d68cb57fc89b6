"""Who orders and pays: persons and organisations with their addresses."""

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

CountryCode = Annotated[
    str, Meta(pattern="^[A-Z]{2}$", description="ISO 3166-1 alpha-2", examples=["DE"])
]
Text = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]


class PartyKind(StrEnum):
    """What a party is in law."""

    PERSON = "PERSON"
    ORGANISATION = "ORGANISATION"


class Address(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A postal address.

    Attributes:
        line1: Street without the house number, or all of it where the two are not parted.
        postal_code: As written in the country.
        country: ISO 3166-1 alpha-2.
    """

    line1: Text
    house_number: Annotated[str, Meta(max_length=20)] | None = None
    line2: Annotated[str, Meta(max_length=200)] | None = None
    postal_code: Annotated[str, Meta(min_length=1, max_length=12, pattern="^[A-Za-z0-9 -]+$")]
    city: Text
    country: CountryCode


class Party(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A person or an organisation.

    Attributes:
        party_id: The front-end's own customer id. The same id is the same party in every system.
        names: Name of the organisation, or given names and family name of the person, in order.
        vat_id: VAT identification number with country prefix, organisations only.
        language: BCP 47, two letters.
        email: Where confirmations go.
        contact: Given names and family name of who acts for the organisation, in order;
            organisations only.
    """

    party_id: Annotated[
        str,
        Meta(min_length=1, max_length=64, pattern="^[A-Za-z0-9._-]+$", examples=["C-100042"]),
    ]
    kind: PartyKind
    names: Annotated[tuple[Text, ...], Meta(min_length=1, max_length=4)]
    addresses: Annotated[tuple[Address, ...], Meta(min_length=1, max_length=5)]
    language: Annotated[str, Meta(pattern="^[a-z]{2}$")] = "de"
    birth_date: Annotated[str, Meta(pattern=r"^\d{4}-\d{2}-\d{2}$")] | None = None
    vat_id: Annotated[str, Meta(pattern="^[A-Z]{2}[A-Z0-9+*]{2,13}$")] | None = None
    email: (
        Annotated[str, Meta(max_length=254, pattern=r"^[^@\s\x00-\x1f]+@[^@\s\x00-\x1f]+$")] | None
    ) = None
    phone: Annotated[str, Meta(max_length=32, pattern=r"^[+0-9 ()/.-]+$")] | None = None
    contact: Annotated[tuple[Text, ...], Meta(max_length=4)] = ()

    @property
    def display_name(self) -> str:
        """The names in one line, for the systems that have one field."""
        return " ".join(self.names)

    @property
    def given_name(self) -> str:
        """Of the person, or of who acts for the organisation; empty where it is not known."""
        return " ".join(self._person[:-1])

    @property
    def family_name(self) -> str:
        """Of the same; empty where it is not known."""
        return self._person[-1] if self._person else ""

    @property
    def _person(self) -> tuple[str, ...]:
        return self.names if self.kind is PartyKind.PERSON else self.contact
