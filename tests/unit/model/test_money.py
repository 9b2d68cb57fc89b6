"""Amounts: exact in every currency, and nothing else gets in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model import money
from gateway.model.money import Money, scale

CURRENCIES = sorted(money._TWO_DECIMALS | set(money._SCALES))
currencies = st.sampled_from(CURRENCIES)
# As many digits as fit before the point in every currency.
minors = st.integers(min_value=-(10**13) + 1, max_value=10**13 - 1)


@given(minors, currencies)
def test_every_amount_survives_its_text(minor: int, currency: str) -> None:
    """Written as a decimal string and read again, an amount is the same."""
    amount = Money(minor, currency)

    assert amount == Money.parse(amount.amount, currency)


@given(minors, currencies)
def test_text_has_the_decimals_of_the_currency(minor: int, currency: str) -> None:
    """EUR always shows two, JPY none: partners compare texts."""
    _, _, fraction = Money(minor, currency).amount.partition(".")

    assert scale(currency) == len(fraction)


@given(currencies, st.integers(min_value=0, max_value=10**9), st.data())
def test_more_decimals_than_the_currency_has_are_refused(
    currency: str, whole: int, data: st.DataObject
) -> None:
    """A tenth of a cent is nobody's to round, even where it is zero."""
    decimals = data.draw(st.integers(min_value=scale(currency) + 1, max_value=5))
    text = f"{whole}.{'0' * decimals}"

    with pytest.raises(ValueError, match="decimal"):
        Money.parse(text, currency)


@pytest.mark.parametrize(
    ("minor", "text", "currency"),
    [
        (12345, "123.45", "EUR"),
        (12340, "123.4", "EUR"),
        (12300, "123", "EUR"),
        (-1, "-0.01", "EUR"),
        (500, "500", "JPY"),
        (1, "0.001", "KWD"),
        (1500, "1.5", "KWD"),
        (12345, "1.2345", "CLF"),
        (7, "0007", "JPY"),
    ],
)
def test_amounts_are_read_in_the_decimals_of_their_currency(
    minor: int, text: str, currency: str
) -> None:
    """The scale comes from ISO 4217, never from the text."""
    assert Money(minor, currency) == Money.parse(text, currency)


@pytest.mark.parametrize(
    ("text", "minor", "currency"),
    [
        ("0.00", 0, "EUR"),
        ("0.05", 5, "EUR"),
        ("-0.05", -5, "EUR"),
        ("-12.00", -1200, "EUR"),
        ("0", 0, "JPY"),
        ("-3", -3, "JPY"),
        ("0.007", 7, "KWD"),
    ],
)
def test_small_amounts_keep_their_zeros(text: str, minor: int, currency: str) -> None:
    """Five cents are 0.05, not .5 and not 0.5."""
    assert text == Money(minor, currency).amount


@pytest.mark.parametrize(
    "text",
    [
        *("", "-", "1,5", "1.", ".5", "+1", "1e3", " 1", "1 ", "1\n", "NaN", "Infinity", "--1"),
        *("0x1", "1_000", "12345678901234", "1.23456"),
    ],
)
def test_other_ways_to_write_a_number_are_refused(text: str) -> None:
    """What Decimal or float would take kindly is refused here."""
    with pytest.raises(ValueError, match=r"amount must be a decimal string such as '123\.45'"):
        Money.parse(text, "CLF")


@pytest.mark.parametrize("currency", ["", "eur", "EU", "EURO", "XXX", "XAU", "DEM", "E€R"])
def test_other_currencies_are_refused(currency: str) -> None:
    """Small letters, test codes, metals and dead currencies are no ISO 4217 money."""
    with pytest.raises(ValueError, match="is not an ISO 4217 currency code"):
        Money.parse("1", currency)


def test_an_unknown_currency_is_not_echoed_whole() -> None:
    """What a stranger sends does not come back at length."""
    with pytest.raises(ValueError, match=r"^'AAAAAAAA' is not an ISO 4217 currency code$"):
        scale("A" * 1000)


def test_no_currency_has_two_scales() -> None:
    """The two tables are disjoint and hold codes of three capitals."""
    assert set() == money._TWO_DECIMALS & set(money._SCALES)
    assert all(len(code) == 3 and code.isalpha() and code.isupper() for code in CURRENCIES)


@given(minors, minors, currencies)
def test_sums_are_exact(one: int, other: int, currency: str) -> None:
    """Adding is adding of integers."""
    assert Money(one + other, currency) == Money(one, currency) + Money(other, currency)


def test_currencies_do_not_mix() -> None:
    """Euros and dollars have no sum."""
    with pytest.raises(ValueError, match="cannot add USD to EUR"):
        Money(1, "EUR") + Money(1, "USD")


@given(minors, st.integers(min_value=1, max_value=200), currencies)
def test_a_multiple_is_the_repeated_sum(minor: int, quantity: int, currency: str) -> None:
    """Quantity times unit price is what adding each unit gives."""
    unit = Money(minor, currency)
    total = Money(0, currency)
    for _ in range(quantity):
        total += unit

    assert total == unit * quantity
