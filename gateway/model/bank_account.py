"""Bank accounts of payers, for methods whose provider keeps no token of them."""

from typing import Annotated, ClassVar

from msgspec import Meta

from gateway.model.personal import Guarded


class BankAccount(Guarded, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The account from which a payer pays.

    Attributes:
        iban: Shown by its ends.
        holder: Whose account it is, who need not be the payer; shown by a letter.
    """

    personal: ClassVar[frozenset[str]] = frozenset({"iban", "holder"})

    iban: Annotated[str, Meta(max_length=42, pattern="^[A-Za-z0-9 *]*$")]
    holder: Annotated[str, Meta(max_length=70, pattern=r"^[^\x00-\x1f\x7f]*$")]
