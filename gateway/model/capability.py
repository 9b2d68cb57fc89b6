"""Capabilities: which provider can do what, with which method, where, and in which currency."""

from typing import Final

import msgspec

# Where SEPA's schemes reach. Source: European Payments Council, EPC409-09, read 2026-11.
SEPA: Final = tuple(
    """
    AD AL AT BE BG CH CY CZ DE DK EE ES FI FR GB GG GI GR HR HU IE IM IS IT JE LI LT LU LV MC MD ME
    MK MT NL NO PL PT RO RS SE SI SK SM VA
    """.split()
)


class Capability(msgspec.Struct, frozen=True, kw_only=True):
    """What one provider can do with one payment method.

    Attributes:
        method: Canonical method code, such as ``card`` or ``sepa_debit``.
        countries: Of the payer, ISO 3166-1 alpha-2; empty for anywhere.
        currencies: ISO 4217; empty for all that the provider takes.
        verbs: Verbs of the ports that can be called for it, such as ``create_payment``. With
            ``capture_payment`` an amount can be authorised now and collected later.
        token: Whether the provider's token of an instrument is needed.
        redirect: Whether the payer is sent to a page, so that a return URL is needed.
        mandate: Whether a mandate of ours is needed.
        held: Whether an amount is always authorised first, and collected by a call of its own.
        payer: Whether the provider has to be told who pays, and for what.
        bank_account: Whether it has to be told from which account.
        splits: Into how many parts, at most, the provider divides the money; 0 for not at all.
        split_members: Of how many members these parts can be, at most; 0 for any number.
        splits_after: Into how many parts, at most, the money is divided by transfers once it is
            collected; 0 for not at all.
        hold_days: How long an authorisation can be collected; 0 where nobody says.
    """

    method: str
    countries: tuple[str, ...] = ()
    currencies: tuple[str, ...] = ()
    verbs: tuple[str, ...]
    token: bool = False
    redirect: bool = False
    mandate: bool = False
    held: bool = False
    payer: bool = False
    bank_account: bool = False
    splits: int = 0
    split_members: int = 0
    splits_after: int = 0
    hold_days: int = 0
