"""The mappings of Adyen, and what their failures mean to a caller."""

from collections.abc import Mapping as Values
from collections.abc import Sequence
from typing import Any, Final, TypeVar

import msgspec

from adapters.adyen import amounts
from adapters.adyen import translation_instruments as instruments
from adapters.adyen import translation_parts as parts
from adapters.adyen.answers import Paid, Received, is_held, reference_of
from adapters.adyen.capabilities import CAPABILITIES
from adapters.adyen.notices import Item
from adapters.adyen.settings import Settings
from gateway.errors import Rejected
from gateway.kit import payers
from gateway.kit.adapter import Body
from gateway.kit.answers import Answer, UnreadableError, translated
from gateway.kit.mapping import Document, Made, Mapping, pointing
from gateway.kit.mapping.installed import mappings_of
from gateway.kit.payers import Asked
from gateway.model import codec
from gateway.model.money import Money
from gateway.model.movement import Movement, MovementKind
from gateway.model.payment import CaptureMethod, Payment, ProviderPayment, ProviderRefund

T = TypeVar("T")

# Target field that cannot be filled: what that means.
_REFUSALS: Final = {
    "/paymentMethod/type": (
        "method_code: Adyen does not offer this payment method through us.",
        "method_unsupported",
    ),
    "/additionalData/manualCapture": (
        "capture_method: this method cannot be authorised now and captured later.",
        "capture_method_unsupported",
    ),
    "/paymentMethod/storedPaymentMethodId": (
        "token: expected the shopper's reference, an underscore and Adyen's id of the instrument.",
        "token_invalid",
    ),
}
# What a payer has to be shown: our name, and theirs in the action.
_DETAILS: Final = {
    "reference": "reference",
    "entity": "entity",
    "iban": "iban",
    "bic": "bic",
    "qr_code": "qrCodeData",
}
# Where a status stands that nobody told us of.
_STATUS: Final = {"/state", "$.resultCode", "$.status", "/next_action/kind"}
_METHODS: Final = {row.method: row for row in CAPABILITIES}
# Source: docs.adyen.com/payment-methods, a page for each.
_CREDIT: Final = Asked(email=True, basket=True)
_CHECKED: Final = Asked(email=True, phone=True, birth_date=True, basket=True)
_ASKED: Final = {
    "alma": _CREDIT,
    "bank_transfer": Asked(email=True),
    "klarna": _CREDIT,
    "mb_way": Asked(person=False, email=True, phone=True),
    "ratepay_debit": _CHECKED,
    "ratepay_invoice": _CHECKED,
    "riverty": _CHECKED,
    "vipps": Asked(person=False, phone=True),
}
_COLLECTING: Final = "AUTHORISATION.true"


class Translation:
    """Bodies out, answers and notifications of theirs in.

    Args:
        mappings: As ``load`` makes them.
    """

    def __init__(self, mappings: Values[str, Mapping], settings: Settings) -> None:
        self._mappings = mappings
        self._return_url = settings.return_url

    def payment_body(self, payment: Payment) -> Body:
        """Authorise, and collect at once unless the capture is manual.

        Raises:
            Rejected: Adyen cannot do this, or we do not know how; nothing was sent.
        """
        self._check(payment)
        asked = _ASKED.get(payment.method_code)
        if asked is None:
            payment = msgspec.structs.replace(payment, payer=None, items=())
        named = payment.payer if asked and asked.person else None
        needs = {
            "amount": amounts.units(payment.amount, "amount"),
            "reference": _reference(payment),
            "given": named.given_name if named else None,
            "family": named.family_name if named else None,
            "parts": parts.of_payment(payment),
            **instruments.needs(payment),
        }
        return self._body("payment_create", payment, needs)

    def capture_body(self, payment: Payment, amount: Money) -> Body:
        """Collect the amount."""
        needs = {
            "amount": amounts.units(amount, "amount"),
            "reference": _reference(payment),
            "parts": parts.of_capture(payment, amount),
        }
        return self._body("payment_capture", payment, needs)

    def update_body(self, payment: Payment, amount: Money) -> Body:
        """Have the amount authorised in all."""
        needs = {
            "amount": amounts.units(amount, "amount"),
            "reference": _reference(payment),
        }
        return self._body("payment_update", payment, needs)

    def cancel_body(self, payment: Payment) -> Body:
        """Give up; by our reference where Adyen's never arrived."""
        name = "payment_cancel" if payment.provider_ref else "payment_abandon"
        return self._body(name, payment, {"reference": _reference(payment)})

    def refund_body(self, payment: Payment, refund_id: str, amount: Money) -> Body:
        """Give the amount back."""
        if ":" in refund_id:
            raise _colon("refund_id")
        needs = {
            "amount": amounts.units(amount, "amount"),
            "refund_id": refund_id,
            "parts": parts.of_refund(payment, refund_id, amount),
        }
        return self._body("refund_create", payment, needs)

    def payment_in(self, answer: Answer[Paid], payment: Payment) -> ProviderPayment:
        """The payment as the answer to its request has it.

        Raises:
            UnreadableError: Something is not in our tables; so for all that follow.
        """
        made, amount = answer.object, payment.amount
        collected = (
            made.result_code == "Authorised" and payment.capture_method is CaptureMethod.AUTOMATIC
        )
        needs = {
            "currency": amount.currency,
            "amount": amount.minor,
            "captured": amount.minor if collected else 0,
            "collected": collected,
            "details": _details(made),
        }
        return self._read("payment", answer.body, needs, ProviderPayment)

    def received_in(
        self,
        answer: Answer[Received],
        payment: Payment,
        moved: Money | None = None,
        *,
        kind: MovementKind = MovementKind.CAPTURE,
    ) -> ProviderPayment:
        """A modification that is under way.

        Args:
            moved: What is to be collected or authorised; None for a cancellation.
            kind: What it is to be.
        """
        amount, minor = payment.amount, moved.minor if moved else 0
        needs = {
            "currency": amount.currency,
            "amount": amount.minor,
            "moved": minor,
            "kind": kind.value,
        }
        return self._read("modification", answer.body, needs, ProviderPayment)

    def refund_in(self, answer: Answer[Received], amount: Money) -> ProviderRefund:
        """A refund that is under way."""
        needs = {"currency": amount.currency, "amount": amount.minor}
        return self._read("refund", answer.body, needs, ProviderRefund)

    def notice_in(
        self, item: Item, body: bytes | msgspec.Raw
    ) -> tuple[ProviderPayment | None, tuple[Movement, ...]]:
        """What a notification says of the payment, and of its money."""
        value, currency = item.amount.value, item.amount.currency
        if not isinstance(value, int):
            raise UnreadableError("Adyen's amount cannot be read.", code="unreadable")
        minor = amounts.minor(value, currency)
        collected = item.word == _COLLECTING and not is_held(item.merchant_reference)
        common = {"word": item.word, "currency": currency, "amount": minor}
        payment = {
            "provider_ref": item.payment_ref,
            "captured": minor if collected else 0,
            "collected": collected,
        }
        said = self._target("payment_notice", body, common | payment)
        moved = self._target("movement_notice", body, common)
        return (
            codec.convert(said, ProviderPayment) if "state" in said else None,
            (codec.convert(moved, Movement),) if "state" in moved else (),
        )

    def _check(self, payment: Payment) -> None:
        """Raise where something is missing that the method needs, or Adyen needs with every one."""
        if not (payment.return_url or self._return_url):
            message = "return_url: Adyen takes no payment without one."
            raise Rejected(message, code="return_url_missing")
        row = _METHODS.get(payment.method_code)
        if row is None:
            return
        if row.currencies and payment.amount.currency not in row.currencies:
            message = "amount: Adyen does not offer this payment method in this currency."
            raise Rejected(message, code="currency_unsupported")
        if payment.splits and not row.splits:
            message = "splits: Adyen does not divide what is paid by this method."
            raise Rejected(message, code="splits_unsupported")
        if row.payer:
            payers.check(payment, _ASKED[row.method], title="Adyen")

    def _body(self, name: str, payment: Payment, needs: Values[str, Any]) -> Body:
        made = self._mappings[name]
        with pointing.refusing(made, payment, _REFUSALS):
            return Body(msgspec.json.encode(made.apply(payment, needs)), made.reference)

    def _read(self, name: str, body: bytes, needs: Values[str, Any], kind: type[T]) -> T:
        return codec.convert(self._target(name, body, needs), kind)

    def _target(
        self, name: str, body: bytes | msgspec.Raw, needs: Values[str, Any]
    ) -> Values[str, Any]:
        return translated(
            self._mappings[name],
            body,
            needs,
            title="Adyen",
            is_status=lambda path: path in _STATUS,
        )


def load(settings: Settings, *, overlays: Sequence[Document] = (), tenant: str = "") -> Made:
    """The mappings for one account: the installed ones and the tenant's overlays.

    Raises:
        Refused: One of them does not fit Adyen's objects.
    """
    config = {
        "merchant_account": settings.merchant_account,
        "return_url": settings.return_url,
        "interaction": settings.interaction,
    }
    return mappings_of("adyen", config, overlays=overlays, tenant=tenant)


def _reference(payment: Payment) -> str:
    reference = reference_of(payment)
    if ":" in reference:
        raise _colon("payment_id")
    if len(reference) > 80:  # noqa: PLR2004 - documented length
        raise Rejected("payment_id is longer than Adyen takes.", code="field_too_long")
    return reference


def _colon(field: str) -> Rejected:
    # Text could move across a colon, and the signature of a notification would still hold.
    return Rejected(f"{field}: Adyen's signatures do not hold colons.", code="field_invalid")


def _details(made: Paid) -> dict[str, str]:
    """What the payer has to be shown; the language of mappings has no fields for a map."""
    action = made.action or {}
    found = {ours: action.get(theirs) for ours, theirs in _DETAILS.items()}
    try:
        return {
            ours: msgspec.json.decode(raw, type=str)
            for ours, raw in found.items()
            if raw is not None and bytes(raw) != b"null"
        }
    except msgspec.DecodeError as error:
        raise UnreadableError("Adyen's action cannot be read.", code="unreadable") from error
