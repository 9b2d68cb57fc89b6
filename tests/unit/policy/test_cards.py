"""Card numbers in free text."""

import pytest

from gateway.policy.cards import holds_card_number

_VISA, _MASTERCARD, _AMEX = "4111111111111111", "5555555555554444", "378282246310005"


@pytest.mark.parametrize(
    "number", [_VISA, _MASTERCARD, _AMEX, "30569309025904", "6011111111111117"]
)
@pytest.mark.parametrize("text", ["{}", "7 {}", "card {} please", "{}9"])
def test_numbers_are_found(number: str, text: str) -> None:
    """Alone, behind another number, within a sentence, with a digit too many."""
    assert holds_card_number(text.format(number))


@pytest.mark.parametrize("glue", [" ", "-", ".", "_", "  ", "\u00a0", "/"])
def test_grouping_hides_nothing(glue: str) -> None:
    """Blanks of every kind, dots, dashes, underscores."""
    groups = [_VISA[n : n + 4] for n in range(0, 16, 4)]

    assert holds_card_number(glue.join(groups))


@pytest.mark.parametrize(
    "text", [_VISA * 2, "41111111-1111-1111-8111-111111111111", f"{_VISA}-7111-8111-11111111111a"]
)
def test_the_form_of_an_identifier_hides_nothing(text: str) -> None:
    """Digits alone are no UUID of ours, nor is what has one of its groups too long."""
    assert holds_card_number(text)


@pytest.mark.parametrize(
    "text",
    [
        "4111111111111112",  # wrong check digit
        "4006381333931",  # a European article number
        "01a200b1-59de-79a2-9779-e95c02499022",
        "01a20949-6257-7900-8313-27ab4c1d6eea",  # in whose digits a card number stands
        "01A22304462278879606232810166DAD",
        "refund of 01a232b5-3717-7246-8362-482a408f1f0d, twice",
        "DE89370400440532013000",
        "DE80370400447194865562",  # in whose digits a Diners Club number stands
        "pm_1PgafyB7WZ01zgkWSjxsAJo3",
        "order 2026-11-22 no 12345",
        "",
    ],
)
def test_other_numbers_pass(text: str) -> None:
    """What looks like a number of another kind is none of a card."""
    assert not holds_card_number(text)
