"""What an operator types so that payers know where to transfer to."""

from typing import Annotated

import msgspec
from msgspec import Meta

from gateway.kit.sepa import identifiers


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One account of ours; payers are shown it.

    Attributes:
        account_holder: As the bank knows us; banks compare it with what the payer types.
        iban: Where payers transfer to.
        bic: Of that bank; empty where payers need none, as within SEPA.
    """

    account_holder: Annotated[str, Meta(min_length=1, max_length=70)]
    iban: str
    bic: Annotated[str, Meta(pattern="^([A-Z]{6}[A-Z0-9]{2}([A-Z0-9]{3})?)?$")] = ""

    def __post_init__(self) -> None:
        """Refuse an account number that a payer's bank would refuse; it is not repeated."""
        fault = identifiers.payable_fault(self.iban)
        if fault:
            raise ValueError(f"the IBAN cannot be paid to ({fault})")

    def __repr__(self) -> str:
        """The settings without the account number."""
        return f"Settings(account_holder={self.account_holder!r}, iban='***', bic={self.bic!r})"
