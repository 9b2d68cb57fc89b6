"""Parties: what a front-end may send, field by field."""

from typing import Any

import msgspec
import pytest

from gateway.model import codec
from gateway.model.party import Party, PartyKind
from tests.unit.model.samples import plain_party

ACCEPTED = [
    ("party_id", "a"),
    ("party_id", "A-b.c_9" + "0" * 57),
    ("names", ["Ö"]),
    ("names", ["a", "b", "c", "x" * 200]),
    ("names", ["Żaneta O'Neil-Ñúñez, ß"]),
    ("language", "pl"),
    ("birth_date", "1970-01-31"),
    ("vat_id", "ATU12345678"),
    ("vat_id", "IE1A23456+*"),
    ("email", "x@y"),
    ("email", "x" * 250 + "@y.z"),
    ("email", "ü" * 200 + "@example.org"),
    ("phone", "0221/123-45.6 (7)"),
    ("contact", ["Ada", "Lovelace"]),
]
REFUSED = [
    ("party_id", ""),
    ("party_id", "x" * 65),
    ("party_id", "a b"),
    ("party_id", "a/b"),
    ("party_id", "ä"),
    ("kind", "person"),
    ("names", []),
    ("names", ["a", "b", "c", "d", "e"]),
    ("names", [""]),
    ("names", ["x" * 201]),
    ("names", ["line\nbreak"]),
    ("names", ["nul\x00"]),
    ("names", "Müller"),
    ("addresses", []),
    ("language", "DE"),
    ("language", "deu"),
    ("birth_date", "31.01.1970"),
    ("vat_id", "123456789"),
    ("vat_id", "de123456789"),
    ("email", "no-at"),
    ("email", "two@at@signs"),
    ("email", "with space@example.org"),
    ("email", "x" * 251 + "@y.z"),
    ("phone", "call me"),
    ("phone", "1" * 33),
    ("contact", ["a", "b", "c", "d", "e"]),
    ("contact", [""]),
    ("iban", "DE00"),
]
REFUSED_ADDRESSES = [
    ("line1", ""),
    ("line1", None),
    ("line1", "x" * 201),
    ("line1", "a\tb"),
    ("house_number", "1" * 21),
    ("line2", "x" * 201),
    ("postal_code", ""),
    ("postal_code", "1234567890123"),
    ("postal_code", "50674;"),
    ("city", ""),
    ("country", "de"),
    ("country", "DEU"),
    ("country", "Germany"),
    ("state", "NRW"),
]


def _read(**changes: Any) -> Party:
    return codec.convert(plain_party() | changes, Party)


@pytest.mark.parametrize(("field", "value"), ACCEPTED)
def test_values_at_the_limit_are_accepted(field: str, value: Any) -> None:
    """The longest and the strangest that is allowed comes through unchanged."""
    found = msgspec.json.decode(codec.encode(_read(**{field: value})))

    assert value == found[field]


@pytest.mark.parametrize(("field", "value"), REFUSED)
def test_values_beyond_the_limit_are_refused(field: str, value: Any) -> None:
    """One more, one longer or one stranger is refused with the field's name."""
    with pytest.raises(msgspec.ValidationError, match=rf"[`.]{field}"):
        _read(**{field: value})


@pytest.mark.parametrize(("field", "value"), REFUSED_ADDRESSES)
def test_wrong_addresses_are_refused(field: str, value: Any) -> None:
    """The path leads to the field of the address that is wrong."""
    good = plain_party()["addresses"][0]

    with pytest.raises(msgspec.ValidationError, match=r"\$\.addresses\[1\]") as caught:
        _read(addresses=[good, good | {field: value}])

    assert field in str(caught.value)


def test_at_most_five_addresses() -> None:
    """Five are read, a sixth is refused."""
    address = plain_party()["addresses"][0]

    assert 5 == len(_read(addresses=[address] * 5).addresses)
    with pytest.raises(msgspec.ValidationError, match="addresses"):
        _read(addresses=[address] * 6)


@pytest.mark.parametrize("field", ["party_id", "kind", "names", "addresses"])
def test_fields_that_nobody_can_do_without(field: str) -> None:
    """Who it is, what it is, its name and where it lives are required."""
    body = plain_party()
    del body[field]

    with pytest.raises(msgspec.ValidationError, match=f"missing required field `{field}`"):
        codec.convert(body, Party)


def test_everything_else_may_be_left_out() -> None:
    """A person with a name and an address is enough; the language is German then."""
    needed = {"party_id", "kind", "names", "addresses"}
    body = {name: value for name, value in plain_party().items() if name in needed}
    found = codec.convert(body | {"kind": "PERSON"}, Party)

    assert PartyKind.PERSON is found.kind
    assert "de" == found.language
    assert (None, None, None) == (found.vat_id, found.email, found.phone)


def test_display_name_is_one_line() -> None:
    """Systems with one field for the name get all names in order."""
    assert "Müller & Söhne Straßenbau GmbH" == _read().display_name


@pytest.mark.parametrize(
    ("kind", "names", "contact", "found"),
    [
        ("PERSON", ["Ada", "Maria", "Lovelace"], [], ("Ada Maria", "Lovelace")),
        ("PERSON", ["Pelé"], ["Ada", "Lovelace"], ("", "Pelé")),
        ("ORGANISATION", ["Muster", "GmbH"], ["Ada", "Lovelace"], ("Ada", "Lovelace")),
        ("ORGANISATION", ["Muster", "GmbH"], [], ("", "")),
    ],
)
def test_who_signs_is_the_person_or_the_contact(
    kind: str, names: list[str], contact: list[str], found: tuple[str, str]
) -> None:
    """The name of an organisation is nobody's given name."""
    party = codec.convert(
        {**plain_party(), "kind": kind, "names": names, "contact": contact}, Party
    )

    assert found == (party.given_name, party.family_name)
