"""Amounts as Adyen counts them.

Source: docs.adyen.com/development-resources/currency-codes, read 2026-11.
"""

from typing import Final

from gateway.errors import Rejected
from gateway.kit.answers import UnreadableError
from gateway.model.money import Money

# "Differs from standard": what one ISO minor unit is at Adyen, as times and divided by.
_UNITS: Final = {"CLP": (100, 1), "ISK": (100, 1), "CVE": (1, 100), "IDR": (1, 100)}
# All that the page lists. What it does not list has no scale at Adyen, and guessing it would cost a
# factor of ten.
CURRENCIES: Final = frozenset(
    """
    AED ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BMD BND BOB BRL BSD BWP BYN BZD CAD CHF CLP CNY
    COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL
    HTG HUF IDR ILS INR IQD ISK JMD JOD JPY KES KGS KHR KMF KRW KWD KYD KZT LAK LKR LYD MAD MDL MKD
    MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG
    QAR RON RSD RUB RWF SAR SBD SCR SEK SGD SHP SLE SOS SRD STN SVC SZL THB TND TOP TRY TTD TWD TZS
    UAH UGX USD UYU UZS VND VUV WST XAF XCD XOF XPF YER ZAR ZMW
    """.split()
)


def units(amount: Money, field: str) -> int:
    """The amount as Adyen counts it.

    Args:
        field: Where it stands with us, for whoever sent it.

    Raises:
        Rejected: Adyen does not take this currency, or not so fine an amount.
    """
    if amount.currency not in CURRENCIES:
        message = f"{field}: Adyen does not take this currency."
        raise Rejected(message, code="currency_unsupported")
    times, divided_by = _UNITS.get(amount.currency, (1, 1))
    whole, rest = divmod(amount.minor * times, divided_by)
    if rest:
        message = f"{field}: Adyen does not take so fine an amount of this currency."
        raise Rejected(message, code="amount_too_fine")
    return whole


def minor(value: int, currency: str) -> int:
    """An amount of Adyen's in the smallest unit of ISO 4217.

    Raises:
        UnreadableError: A currency that is not listed, or a fraction that cannot be paid.
    """
    times, divided_by = _UNITS.get(currency, (1, 1))
    if currency not in CURRENCIES or value < 0 or value * divided_by % times:
        raise UnreadableError("Adyen's amount cannot be read.", code="unreadable")
    return value * divided_by // times
