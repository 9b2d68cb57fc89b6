"""What a conversation itself needs of Mollie's objects: whose they are, and the amounts.

All else is read by the mappings, from the same bytes. Source: Mollie's API reference, v2, read
2026-11.
"""

from typing import Any, Final, Generic, Literal, TypeVar

import msgspec

from gateway.kit.answers import UnreadableError
from gateway.model.money import Money

T = TypeVar("T")


class Amount(msgspec.Struct, frozen=True):
    """An amount as Mollie writes it: a decimal text in the decimals of its currency."""

    currency: str
    value: str

    @property
    def money(self) -> Money:
        """The same in minor units.

        Raises:
            UnreadableError: No such currency, or decimals that it does not have.
        """
        try:
            return Money.parse(self.value, self.currency)
        except ValueError as error:
            raise UnreadableError("Mollie's amount cannot be read.", code="unreadable") from error


class _Link(msgspec.Struct, frozen=True):
    href: str


class _Links(msgspec.Struct, frozen=True):
    checkout: _Link | None = None


class _Embedded(msgspec.Struct, frozen=True):
    refunds: tuple[msgspec.Raw, ...] = ()
    chargebacks: tuple[msgspec.Raw, ...] = ()


class Details(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What a payer who pays elsewhere has to know; all of it Mollie's, nothing of the payer's."""

    bank_account: str | None = None
    bank_bic: str | None = None
    transfer_reference: str | None = None
    multibanco_entity: str | int | None = None
    multibanco_reference: str | int | None = None


class Payment(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A payment.

    Attributes:
        amount_captured: Only where the method can be captured later.
        metadata: Any JSON; ours is an object of texts.
        embedded: All its refunds and chargebacks, where they were asked for.
    """

    id: str
    status: str
    amount: Amount
    created_at: str
    amount_captured: Amount | None = None
    amount_refunded: Amount | None = None
    metadata: Any = None
    details: Details | None = None
    links: _Links = msgspec.field(name="_links", default=_Links())
    embedded: _Embedded = msgspec.field(name="_embedded", default=_Embedded())

    @property
    def page(self) -> str | None:
        """Where the payer pays; None for nowhere."""
        return self.links.checkout.href if self.links.checkout else None


class Capture(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A capture; one that failed leaves the payment as it was."""

    id: str
    payment_id: str
    amount: Amount
    status: Literal["pending", "succeeded", "failed"]


class Refund(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A refund."""

    id: str
    payment_id: str
    amount: Amount
    metadata: Any = None


class Chargeback(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Money that was taken back."""

    id: str
    payment_id: str
    amount: Amount


class Page(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """One page of a list, the newest first.

    Attributes:
        following: Id at which the next page begins; empty on the last one.
    """

    objects: tuple[T, ...]
    following: str


class Customer(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A customer of theirs: whoever gives a mandate."""

    id: str
    metadata: Any = None
    created_at: str = ""


class Mandate(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A mandate of theirs."""

    id: str
    status: str
    customer_id: str


CUSTOMER: Final = msgspec.json.Decoder(Customer)
MANDATE: Final = msgspec.json.Decoder(Mandate)
PAYMENT: Final = msgspec.json.Decoder(Payment)
CAPTURE: Final = msgspec.json.Decoder(Capture)
REFUND: Final = msgspec.json.Decoder(Refund)
CHARGEBACK: Final = msgspec.json.Decoder(Chargeback)


def mark(metadata: Any, name: str) -> str:
    """One of our ids, where it was sent back."""
    value = metadata.get(name) if isinstance(metadata, dict) else None
    return value if isinstance(value, str) else ""
