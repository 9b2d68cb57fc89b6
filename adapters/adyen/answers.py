"""What a conversation itself needs of Adyen's answers: whose they are, and the amounts.

All else is read by the mappings, from the same bytes. Source: Adyen/adyen-openapi, Checkout v71.
"""

from typing import Final, TypeVar

import msgspec

from gateway.model.payment import CaptureMethod, Payment

T = TypeVar("T")

# A notification does not say whether an authorised amount is collected at once; the reference that
# it brings back does, and is signed. "To provide multiple references for one transaction, separate
# the reference values with the hyphen", so a search finds the payment by our id all the same.
_HOLD: Final = "-hold"


class Amount(msgspec.Struct, frozen=True, kw_only=True):
    """Minor units, as Adyen counts them."""

    value: int
    currency: str


class Paid(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The answer to a payment request.

    Attributes:
        action: What the payer has to do; theirs, field by field.
    """

    result_code: str
    psp_reference: str = ""
    merchant_reference: str = ""
    amount: Amount | None = None
    action: dict[str, msgspec.Raw] | None = None


class Received(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The answer to a capture, a cancellation or a refund."""

    psp_reference: str
    status: str
    merchant_account: str
    payment_psp_reference: str = ""
    payment_reference: str = ""
    reference: str = ""
    amount: Amount | None = None


PAID: Final = msgspec.json.Decoder(Paid)
RECEIVED: Final = msgspec.json.Decoder(Received)


def reference_of(payment: Payment) -> str:
    """What Adyen calls the payment on our behalf: our id, marked where its capture is manual."""
    held = payment.capture_method is CaptureMethod.MANUAL
    return payment.payment_id + _HOLD if held else payment.payment_id


def payment_id_of(reference: str) -> str:
    """Our id, from the reference that Adyen brings back."""
    return reference.removesuffix(_HOLD)


def is_held(reference: str) -> bool:
    """Whether what is authorised waits for its capture."""
    return reference.endswith(_HOLD)
