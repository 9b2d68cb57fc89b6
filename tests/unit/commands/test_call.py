"""Arguments of a verb from JSON: typed by the port, never guessed."""

import click
import pytest

from gateway.commands.call import read_arguments
from gateway.model.party import Party
from gateway.ports.erp import Erp

PARTY = (
    '{"party_id": "C-1", "kind": "PERSON", "names": ["A"], "addresses": [{"line1": "x",'
    ' "postal_code": "1", "city": "y", "country": "DE"}]}'
)


def test_a_key_is_made_where_none_is_given() -> None:
    """A writing verb has a key of its own on each call, and keeps one that is given."""
    verb = Erp.upsert_business_partner
    first, second = (read_arguments(verb, f'{{"party": {PARTY}}}')["key"] for _ in range(2))
    given = read_arguments(verb, f'{{"party": {PARTY}, "key": "mine"}}')

    assert first != second
    assert "mine" == given["key"]
    assert isinstance(given["party"], Party)


def test_a_reading_verb_has_no_key() -> None:
    """Only what the verb takes is handed over."""
    found = read_arguments(Erp.find_sales_order, '{"order_id": "o-1"}')

    assert {"order_id": "o-1"} == found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[]", "no JSON object"),
        ("{", "no JSON object"),
        ("{}", "missing: order_id"),
        ('{"order_id": "o", "more": 1}', "unknown: more"),
        ('{"order_id": 1}', "order_id: Expected `str`"),
    ],
)
def test_wrong_arguments_are_wrong_usage(text: str, said: str) -> None:
    """The message names the parameter, and click ends with exit code 2."""
    with pytest.raises(click.UsageError, match=said) as raised:
        read_arguments(Erp.find_sales_order, text)

    assert 2 == raised.value.exit_code


def test_text_with_control_characters_is_wrong_usage() -> None:
    """No system is sent what a front-end could not have ordered; the message does not repeat it."""
    party = PARTY.replace('["A"]', '["A\\u0000"]')
    with pytest.raises(click.UsageError, match=r"^/party/names/0: Send text without") as raised:
        read_arguments(Erp.upsert_business_partner, f'{{"party": {party}}}')

    assert 2 == raised.value.exit_code
