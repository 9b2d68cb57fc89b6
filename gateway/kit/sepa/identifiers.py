"""Identifiers of SEPA: what is wrong with one is a named rule, never a text with the value in it.

IBAN structures come from schwifty (the SWIFT registry as data). The two check sums of ISO 7064 that
are left are written here: python-stdnum would be a further library for ten lines, and its IBAN
check refuses genuine Belgian accounts whose bank it does not know. Tests compare with it.
"""

import hashlib
import re
import warnings
from base64 import b32encode
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:  # 60 ms that most processes never need
    from schwifty import IBAN

REFERENCE_LENGTH: Final = 35
_BUSINESS_CODE: Final = slice(4, 7)
_GERMAN_LENGTH: Final = 18
# Five of the 35 characters are left for "-" and a number.
_MESSAGE_LENGTH: Final = 29

# Source: DK schema pain.008.001.02, RestrictedIdentificationSEPA2 and the pattern of BICs.
_REFERENCE: Final = re.compile(r"[A-Za-z0-9+?/\-:().,' ]+")
_BIC: Final = re.compile(r"[A-Z]{6}[A-Z2-9][A-NP-Z0-9](?:[A-Z0-9]{3})?")
_CREDITOR: Final = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{4,31}")
_RF: Final = re.compile(r"RF[0-9]{2}[A-Z0-9]{1,21}")
_BLANKS: Final = str.maketrans("", "", " \t\r\n")


class Iban(msgspec.Struct, frozen=True, kw_only=True):
    """What a valid IBAN is made of; empty where the registry does not say.

    Attributes:
        has_national_check: The country's own check digits are right. Only a warning: banks give
            out accounts that fail them.
    """

    country: str
    bank_code: str
    account: str
    bic: str
    bank: str
    is_sepa: bool
    has_national_check: bool


def compact(text: str) -> str:
    """Without blanks and in upper case, as files take it.

    Only ASCII is changed: another alphabet could turn into letters that were not written.
    """
    return text.translate(_BLANKS).upper() if text.isascii() else text


def iban_fault(text: str) -> str:
    """The rule that an IBAN breaks: ``iban_checksum`` and the like; empty if it is valid.

    Args:
        text: With or without blanks.
    """
    return _read(text)[1]


def payable_fault(text: str) -> str:
    """As ``iban_fault``, and the account has to be in the SEPA zone."""
    found, fault = _read(text)
    return fault if found is None or found.in_sepa_zone else "iban_not_sepa"


def iban(text: str) -> Iban:
    """The parts of a valid IBAN."""
    from schwifty import IBAN, exceptions

    found = IBAN(text)
    with warnings.catch_warnings():
        # A country without check digits of its own.
        warnings.simplefilter("ignore", exceptions.NationalChecksumNotVerified)
        try:
            right = IBAN(text, validate_bban=True) is not None
        except exceptions.SchwiftyException:
            right = False
    return Iban(
        country=found.country_code,
        bank_code=found.bank_code,
        account=found.account_code,
        bic=str(found.bic or ""),
        bank=found.bank_name or "",
        is_sepa=found.in_sepa_zone,
        has_national_check=right,
    )


def bic_fault(text: str) -> str:
    """``bic_structure``, or empty."""
    return "" if _BIC.fullmatch(text) else "bic_structure"


def creditor_fault(text: str) -> str:
    """The rule that a creditor identifier breaks, or empty.

    The business code (characters 5 to 7) is the creditor's own choice and not in the check sum.

    Source: EPC262-08, creditor identifier overview; ISO 7064 mod 97-10.
    """
    number = compact(text)
    if _CREDITOR.fullmatch(number) is None:
        return "creditor_id_structure"
    if number.startswith("DE") and len(number) != _GERMAN_LENGTH:
        return "creditor_id_length"
    national = number[_BUSINESS_CODE.stop :]
    return "" if _is_mod_97(national + number[:4]) else "creditor_id_checksum"


def same_creditor(one: str, other: str) -> bool:
    """Two identifiers that differ in nothing but the business code mean one creditor."""
    first, second = (compact(each) for each in (one, other))
    return first[:4] + first[7:] == second[:4] + second[7:]


def rf_fault(text: str) -> str:
    """The rule that a creditor reference of ISO 11649 breaks, or empty."""
    number = compact(text)
    if _RF.fullmatch(number) is None:
        return "rf_structure"
    return "" if _is_mod_97(number[4:] + number[:4]) else "rf_checksum"


def reference_fault(text: str) -> str:
    """The rule that an end-to-end, mandate or message reference breaks, or empty.

    References are never changed to make them fit: they have to come back as they went.

    Source: EPC130-08 §6.2: no slash at either end, no two in a row.
    """
    if not text.strip():
        return "reference_empty"
    if len(text) > REFERENCE_LENGTH:
        return "reference_length"
    if _REFERENCE.fullmatch(text) is None:
        return "reference_characters"
    if text[0] == "/" or text[-1] == "/" or "//" in text:
        return "reference_slash"
    return ""


def message_id(batch_id: str) -> str:
    """The same message id for the same batch: the batch's own id where it fits, else a digest."""
    if len(batch_id) <= _MESSAGE_LENGTH and not reference_fault(batch_id):
        return batch_id
    digest = hashlib.blake2b(batch_id.encode("utf-8", "surrogatepass"), digest_size=16).digest()
    return b32encode(digest).decode("ascii").rstrip("=")


def end_to_end_id(attempt_id: str) -> str:
    """A reference for one attempt at a payment; a UUID without its dashes has 32 characters."""
    plain = attempt_id.replace("-", "")
    return message_id(attempt_id) if reference_fault(plain) else plain


def _read(text: str) -> "tuple[IBAN | None, str]":
    """The account, or the rule that it breaks."""
    from schwifty import IBAN, exceptions

    try:
        return IBAN(text), ""
    except exceptions.InvalidLength:
        return None, "iban_length"
    except exceptions.InvalidChecksumDigits:
        return None, "iban_checksum"
    except exceptions.InvalidCountryCode:
        return None, "iban_country"
    except exceptions.SchwiftyException:
        return None, "iban_structure"


def _is_mod_97(text: str) -> bool:
    """ISO 7064 mod 97-10 over letters as numbers, A is 10."""
    return int("".join(str(int(each, 36)) for each in text)) % 97 == 1
