"""Card numbers in free text: they may not come in anywhere; tokens do.

Source: ISO/IEC 7812-1 (Luhn, issuer identification); ranges of the schemes as published, read
2026-11. Thirteen digits are no card today, but every European article number.
"""

import re
from typing import Final

from gateway.kit.sepa.identifiers import iban_fault

_SEPARATORS: Final = re.compile(r"[\s.\-_/]+")  # blanks of every kind
_DIGITS: Final = re.compile(r"[0-9]{14,}")
# RFC 9562, with the version and the variant that no card number would hit by chance.
_UUID: Final = re.compile(
    r"(?<![0-9a-f])(?=[0-9-]*[a-f])[0-9a-f]{8}(-?)[0-9a-f]{4}"
    r"\1[1-8][0-9a-f]{3}\1[89ab][0-9a-f]{3}\1[0-9a-f]{12}(?![0-9a-f])",
    re.IGNORECASE,
)
_ISSUERS: Final = (
    (re.compile("4"), (16, 19)),  # Visa
    (re.compile("5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720"), (16,)),  # Mastercard
    (re.compile("3[47]"), (15,)),  # American Express
    (re.compile("3(?:0[0-5]|[68])"), (14,)),  # Diners Club
    (re.compile("6011|65|64[4-9]"), (16, 19)),  # Discover
    (re.compile("35(?:2[89]|[3-8])"), (16,)),  # JCB
    (re.compile("62"), (16, 17, 18, 19)),  # UnionPay
    (re.compile("5018|5020|5038|58|6304|67"), (16, 18, 19)),  # Maestro
)


def holds_card_number(text: str) -> bool:
    """Whether a card number stands in the text, however it is grouped.

    The digits of an IBAN may look like one by chance; a text that is one is none. So may those of
    a UUID, as our own identifiers are; they are looked over.
    """
    joined = _SEPARATORS.sub("", _UUID.sub("|", text))
    found = any(
        _is_card(run.group(), start)
        for run in _DIGITS.finditer(joined)
        for start in range(len(run.group()) - 13)
    )
    return found and bool(iban_fault(text))


def _is_card(run: str, start: int) -> bool:
    for issuer, lengths in _ISSUERS:
        if issuer.match(run, start):
            return any(_luhn(run[start : start + n]) for n in lengths if start + n <= len(run))
    return False


def _luhn(digits: str) -> bool:
    values = [int(one) for one in digits]
    doubled = [sum(divmod(value * 2, 10)) for value in values[-2::-2]]
    return (sum(values[-1::-2]) + sum(doubled)) % 10 == 0
