"""What a conversation itself needs of PayPal's orders: whose they are, amounts, what was moved.

All else is read by the mappings, from the same bytes. Source: paypal-rest-api-specifications,
checkout_orders_v2 and payments_payment_v2 of 2024-02, read 2026-11.
"""

from typing import Final, TypeVar

import msgspec

from gateway.kit.answers import UnreadableError
from gateway.model.money import Money

T = TypeVar("T")


class Amount(msgspec.Struct, frozen=True):
    """An amount as PayPal writes it: a decimal text, whole in HUF, JPY and TWD."""

    currency_code: str
    value: str

    @property
    def money(self) -> Money:
        """The same in minor units.

        Raises:
            UnreadableError: No such currency, or decimals that it does not have.
        """
        try:
            return Money.parse(self.value, self.currency_code)
        except ValueError as error:
            raise UnreadableError("PayPal's amount cannot be read.", code="unreadable") from error


class _Link(msgspec.Struct, frozen=True):
    href: str
    rel: str


class _Why(msgspec.Struct, frozen=True):
    reason: str = ""


class _Bank(msgspec.Struct, frozen=True):
    response_code: str = ""


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """An authorisation or a capture; ``custom_id`` is our id of the payment."""

    id: str
    status: str
    amount: Amount
    custom_id: str = ""
    status_details: _Why | None = None
    processor_response: _Bank | None = None


class Refund(msgspec.Struct, frozen=True, kw_only=True):
    """A refund; ``invoice_id`` is our id of it."""

    id: str
    status: str
    amount: Amount
    invoice_id: str = ""
    custom_id: str = ""
    links: tuple[_Link, ...] = ()

    @property
    def capture_id(self) -> str:
        """What it gives back; empty where PayPal does not say."""
        up = next((one.href for one in self.links if one.rel == "up"), "")
        return up.rpartition("/captures/")[2]


class _Payments(msgspec.Struct, frozen=True):
    authorizations: tuple[Part, ...] = ()
    captures: tuple[Part, ...] = ()
    refunds: tuple[msgspec.Raw, ...] = ()


class _Unit(msgspec.Struct, frozen=True, kw_only=True):
    amount: Amount
    custom_id: str = ""
    payments: _Payments = _Payments()


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """An order, of which every payment of ours has one with one purchase unit."""

    id: str
    status: str
    intent: str
    purchase_units: tuple[_Unit]
    links: tuple[_Link, ...] = ()

    @property
    def unit(self) -> _Unit:
        """The one purchase unit."""
        return self.purchase_units[0]

    @property
    def authorization(self) -> Part | None:
        """What is held, or was."""
        return self.unit.payments.authorizations[-1] if self.unit.payments.authorizations else None

    @property
    def captures(self) -> tuple[Part, ...]:
        """What was collected, or was to be."""
        return self.unit.payments.captures


class _Disputed(msgspec.Struct, frozen=True):
    seller_transaction_id: str = ""
    custom: str = ""


class _Outcome(msgspec.Struct, frozen=True):
    outcome_code: str = "NONE"


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """A dispute; ``custom`` of what is disputed is our id of the payment."""

    dispute_id: str
    status: str
    dispute_amount: Amount
    disputed_transactions: tuple[_Disputed, ...] = ()
    dispute_outcome: _Outcome = _Outcome()

    @property
    def word(self) -> str:
        """How far it is; of what is resolved, how."""
        return self.dispute_outcome.outcome_code if self.status == "RESOLVED" else self.status

    def is_about(self, capture_id: str, payment_id: str) -> bool:
        """Whether the capture is ours, and among what is disputed."""
        about = [one for one in self.disputed_transactions if one.custom in {"", payment_id}]
        return any(one.seller_transaction_id == capture_id for one in about)


class _Named(msgspec.Struct, frozen=True):
    dispute_id: str


class Claims(msgspec.Struct, frozen=True):
    """A list of disputes, the newest first."""

    items: tuple[_Named, ...] = ()


CLAIM: Final = msgspec.json.Decoder(Claim)
CLAIMS: Final = msgspec.json.Decoder(Claims)
ORDER: Final = msgspec.json.Decoder(Order)
PART: Final = msgspec.json.Decoder(Part)
REFUND: Final = msgspec.json.Decoder(Refund)
