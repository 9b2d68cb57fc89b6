"""Amounts: integers in minor units with an ISO 4217 currency, never a float."""

import re
from typing import Final

# ISO 4217 amendment 179; every currency that is not listed here has two decimals.
# Source: ISO 4217 list one, read 2026-11.
_SCALES: Final = {
    "BHD": 3, "BIF": 0, "CLF": 4, "CLP": 0, "DJF": 0, "GNF": 0, "IQD": 3, "ISK": 0, "JOD": 3,
    "JPY": 0, "KMF": 0, "KRW": 0, "KWD": 3, "LYD": 3, "OMR": 3, "PYG": 0, "RWF": 0, "TND": 3,
    "UGX": 0, "UYI": 0, "UYW": 4, "VND": 0, "VUV": 0, "XAF": 0, "XOF": 0, "XPF": 0,
}  # fmt: skip
_TWO_DECIMALS: Final = frozenset(
    """
    AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD
    CDF CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD
    HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD
    MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON
    RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD
    TZS UAH USD UYU UZS VED VES WST XCD YER ZAR ZMW ZWG
    """.split()
)
_ONE: Final = 100  # of a currency with two decimals
_FEWEST, _MOST = 2, 15  # digits of an amount with two decimals
_AMOUNT: Final = re.compile(r"(-?)([0-9]{1,13})(?:\.([0-9]{1,4}))?")


def scale(currency: str) -> int:
    """Decimals of an ISO 4217 currency: EUR 2, JPY 0, KWD 3.

    Raises:
        ValueError: No such currency.
    """
    if currency in _TWO_DECIMALS:
        return 2
    try:
        return _SCALES[currency]
    except KeyError:
        raise ValueError(f"{currency[:8]!r} is not an ISO 4217 currency code") from None


class Money:
    """An amount of money; on the wire ``{"amount": "123.45", "currency": "EUR"}``.

    A plain class, because msgspec would read a dataclass or a Struct field by field.

    Attributes:
        minor: The amount in the smallest unit of the currency, 12345 for 123.45 EUR.
        currency: ISO 4217 code.
    """

    __slots__ = ("currency", "minor")
    minor: int
    currency: str

    def __init__(self, minor: int, currency: str) -> None:
        _set_minor(self, minor)
        _set_currency(self, currency)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("money does not change")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Money):
            return NotImplemented
        return self.minor == other.minor and self.currency == other.currency

    def __hash__(self) -> int:
        return hash((self.minor, self.currency))

    def __repr__(self) -> str:
        return f"Money({self.minor}, {self.currency!r})"

    @classmethod
    def parse(cls, amount: str, currency: str) -> "Money":
        """Read a decimal string; more decimals than the currency has are refused.

        Raises:
            ValueError: Not a decimal number, too many decimals, or no such currency.
        """
        if amount[-3:-2] == "." and currency in _TWO_DECIMALS:  # as nearly all amounts are spelt
            digits = amount[:-3] + amount[-2:]
            if _FEWEST < len(digits) <= _MOST and digits.isascii() and digits.isdigit():
                return cls(int(digits), currency)
        decimals = scale(currency)
        match = _AMOUNT.fullmatch(amount)
        if match is None:
            raise ValueError("amount must be a decimal string such as '123.45'")
        sign, whole, fraction = match.group(1), match.group(2), match.group(3) or ""
        if len(fraction) > decimals:
            raise ValueError(f"{currency} has {decimals} decimals, got {len(fraction)}")
        minor = int(whole + fraction.ljust(decimals, "0"))
        return cls(-minor if sign else minor, currency)

    @property
    def amount(self) -> str:
        """The amount as a decimal string with all decimals of the currency."""
        if self.minor >= _ONE and self.currency in _TWO_DECIMALS:  # nearly all amounts
            digits = str(self.minor)
            return f"{digits[:-2]}.{digits[-2:]}"
        decimals = scale(self.currency)
        digits = str(abs(self.minor)).rjust(decimals + 1, "0")
        text = f"{digits[:-decimals]}.{digits[-decimals:]}" if decimals else digits
        return f"-{text}" if self.minor < 0 else text

    def __add__(self, other: "Money") -> "Money":
        """Sum of two amounts of one currency."""
        if other.currency != self.currency:
            raise ValueError(f"cannot add {other.currency} to {self.currency}")
        return Money(self.minor + other.minor, self.currency)

    def __mul__(self, quantity: int) -> "Money":
        """The amount times a whole number."""
        return Money(self.minor * quantity, self.currency)


# Past ``__setattr__``, as ``object.__setattr__`` would be, in two thirds of its time.
_set_minor: Final = vars(Money)["minor"].__set__
_set_currency: Final = vars(Money)["currency"].__set__
