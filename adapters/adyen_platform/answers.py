"""What a conversation itself needs of a transfer: whose it is, from where, to where, how much.

All else is read by the mappings, from the same bytes. Source: TransferService-v4, read 2026-11.
"""

from typing import Final

import msgspec

from gateway.kit.answers import UnreadableError
from gateway.model.money import Money


class Amount(msgspec.Struct, frozen=True):
    """An amount in the smallest unit."""

    value: int
    currency: str

    @property
    def money(self) -> Money:
        """The same as ours.

        Raises:
            UnreadableError: No such currency, or less than nothing.
        """
        if self.currency not in CURRENCIES or self.value < 0:
            raise UnreadableError("Adyen's amount cannot be read.", code="unreadable")
        return Money(self.value, self.currency)


class _Resource(msgspec.Struct, frozen=True):
    id: str = ""


class _Counterparty(msgspec.Struct, frozen=True, rename="camel"):
    balance_account_id: str = ""


class Transfer(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A transfer of Adyen's; ``reference`` is our id."""

    id: str
    amount: Amount
    status: str
    category: str = ""
    reference: str = ""
    direction: str = "outgoing"
    balance_account: _Resource = _Resource()
    counterparty: _Counterparty = _Counterparty()


class _Link(msgspec.Struct, frozen=True):
    href: str = ""


class _Links(msgspec.Struct, frozen=True):
    next: _Link | None = None


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A page of a search."""

    data: tuple[msgspec.Raw, ...] = ()
    links: _Links = msgspec.field(default=_Links(), name="_links")


TRANSFER: Final = msgspec.json.Decoder(Transfer)
FOUND: Final = msgspec.json.Decoder(Found)
# Of which we know that Adyen counts them as ISO 4217 does.
# Source: docs.adyen.com/development-resources/currency-codes, read 2026-11.
CURRENCIES: Final = frozenset(
    "AUD CAD CHF CZK DKK EUR GBP HKD HUF JPY NOK NZD PLN RON SEK SGD USD".split()
)
