"""The mappings of PAYONE, and what their failures mean to a caller."""

import re
from collections.abc import Mapping as Values
from collections.abc import Sequence
from typing import Any, Final, TypeVar

import msgspec

from adapters.payone import translation_objects as answers
from adapters.payone import translation_wallets as wallets
from adapters.payone.capabilities import CAPABILITIES
from adapters.payone.settings import Settings
from adapters.payone.translation_objects import (
    Checkout,
    Event,
    Execution,
    MadeCheckout,
    Paid,
    Place,
    Refunded,
)
from gateway.errors import Rejected
from gateway.kit import payers
from gateway.kit.adapter import Body
from gateway.kit.answers import Answer, UnreadableError, translated
from gateway.kit.mapping import Document, Made, Mapping, pointing
from gateway.kit.mapping.installed import mappings_of
from gateway.kit.payers import Asked
from gateway.model import codec
from gateway.model.capability import Capability
from gateway.model.money import Money
from gateway.model.movement import Movement
from gateway.model.party import Party
from gateway.model.payment import CaptureMethod, Payment, ProviderPayment, ProviderRefund

T = TypeVar("T")

_METHODS: Final = {row.method: row for row in CAPABILITIES}
# Kind of card and token; the kind may be left out, and then PAYONE finds it by the token.
_CARD: Final = re.compile(r"(?:(?P<product>[0-9]{1,5})_)?(?P<stored>[A-Za-z0-9-]{1,40})", re.ASCII)
# Source: API definition 1.61.0 (Customer); what PAYONE's own cartridge for Salesforce demands
# before it asks for instalments; read 2026-11.
_ASKED: Final = Asked(email=True, phone=True, birth_date=True, basket=True)
_MOST_PIECES: Final = 9_999
_HIGHEST_PRICE: Final = 2_147_483_647
_ANY: Final = re.compile(r".+")
_IBAN: Final = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}", re.ASCII)
# <partner>_<merchant>_<session>. Source: README of PCP-client-javascript-SDK, read 2026-11.
_DEVICE: Final = (
    re.compile(r"(?=.{5,255}$)[^_\s]+_[^_\s]+_\S+", re.ASCII),
    "the token of the payer's device",
)
_TOKENS: Final = {
    "card": (_CARD, "a card token of PAYONE"),
    "sepa_debit": (
        re.compile(r"[A-Za-z0-9+\-.()]{1,35}", re.ASCII),
        "the reference of a mandate",
    ),
    "secured_invoice": _DEVICE,
    "secured_debit": _DEVICE,
}
_COLLECTING: Final = frozenset({"SALE", "RESERVATION", "CAPTURE", "REVERSAL"})
_CHARGEBACKS: Final = frozenset({"CHARGEBACK", "CHARGEBACK_REVERSAL"})
# A chargeback and its reversal are events with different ids about the same money.
_CHARGEBACK_REF: Final = "chargeback"
_STATUS: Final = {"/state"}


class Translation:
    """Bodies out, objects of theirs in.

    Args:
        mappings: As ``load`` makes them.
    """

    def __init__(self, mappings: Values[str, Mapping]) -> None:
        self._mappings = mappings

    def payment_body(self, payment: Payment) -> Body:
        """Make case, checkout and payment at once.

        Raises:
            Rejected: PAYONE cannot do this, or we do not know how; nothing was sent.
        """
        row = _check_method(payment)
        payer = _payer(payment) if row.payer else None
        if row.bank_account:
            _check_account(payment)
        token = _CARD.fullmatch(payment.token) if payment.method_code == "card" else None
        needs = {
            "amount": answers.units(payment.amount, "amount"),
            "reference": answers.short(payment.payment_id),
            "parameters": answers.marked(payment),
            "product": int(token["product"]) if token and token["product"] else None,
            "stored": token["stored"] if token else None,
            "apple": wallets.apple_of(payment),
            "click": wallets.click_of(payment),
            "given": payer.given_name if payer else None,
            "family": payer.family_name if payer else None,
        }
        return self._body("payment_create", payment, needs)

    def capture_body(self, payment: Payment, amount: Money, reference: str) -> Body:
        """Collect the amount."""
        return self._body("payment_capture", payment, _needs(payment, amount, reference))

    def cancel_body(self, payment: Payment) -> Body:
        """Give up what is held."""
        return self._body("payment_cancel", payment, {})

    def refund_body(self, payment: Payment, amount: Money, reference: str) -> Body:
        """Give the amount back."""
        return self._body("refund_create", payment, _needs(payment, amount, reference))

    def made_in(self, case: str, answer: Answer[MadeCheckout]) -> ProviderPayment:
        """The payment as the answer to its making has it.

        Raises:
            UnreadableError: Something is not in our tables; so for all that follow.
        """
        made = answer.object
        said = made.payment_response
        paid = said.payment if said else None
        errors = made.error_response.errors if made.error_response else ()
        status = paid.status if paid else "REJECTED"
        amount = answers.money(made.amount_of_money)
        execution = said.payment_execution_id if said else ""
        place = Place(case, made.checkout_id, execution)
        needs = {
            "provider_ref": place.reference if execution else "",
            "status": status,
            "amount": amount.minor,
            "captured": amount.minor if status == "CAPTURED" else 0,
            "refunded": 0,
            "page": (said.merchant_action.redirect_data.url or None) if said else None,
            "code": errors[0].error_code or None if errors else None,
        }
        return self._read("payment", answer.body, needs, ProviderPayment)

    def payment_in(self, answer: Answer[Checkout], execution: Execution) -> ProviderPayment:
        """The payment as its checkout has it, with what became of its money."""
        checkout = answer.object
        currency = checkout.amount_of_money.currency_code
        totals = checkout.status_output
        # What was collected is counted without what has gone again.
        gone = totals.refunded_amount + totals.chargeback_amount
        captured = totals.collected_amount + gone
        ids = (checkout.commerce_case_id, checkout.checkout_id, execution.payment_execution_id)
        needs = {
            "provider_ref": Place(*ids).reference,
            "status": "CAPTURED" if captured else _status(execution),
            "amount": answers.money(checkout.amount_of_money).minor,
            "captured": answers.minor(captured, currency),
            "refunded": answers.minor(totals.refunded_amount, currency),
            "page": None,
            "code": None,
        }
        found = self._read("payment", answer.body, needs, ProviderPayment)
        return msgspec.structs.replace(found, movements=self._movements(execution))

    def refund_in(self, answer: Answer[Refunded]) -> ProviderRefund:
        """The refund as an answer or a webhook has it."""
        output = answer.object.refund_output
        needs = {
            "ref": output.references.merchant_reference,
            "amount": answers.money(output.amount_of_money).minor,
        }
        return self._read("refund", answer.body, needs, ProviderRefund)

    def notice_in(self, answer: Answer[Paid], capture: CaptureMethod) -> ProviderPayment | None:
        """The payment as a webhook has it; None where its amount does not tell what moved."""
        paid = answer.object
        held = capture is CaptureMethod.MANUAL
        if paid.status not in _PLAIN or (held and paid.status == "CAPTURED"):
            return None
        minor = answers.money(paid.payment_output.amount_of_money).minor
        needs = {"amount": minor, "captured": minor if paid.status == "CAPTURED" else 0}
        return self._read("payment_notice", answer.body, needs, ProviderPayment)

    def _movements(self, execution: Execution) -> tuple[Movement, ...]:
        read = execution.read_events
        moved = [one for one in read if one[1].type == "REFUND" or one[1].type in _CHARGEBACKS]
        return tuple(self._movement(raw, event, execution) for raw, event in moved)

    def _movement(self, raw: msgspec.Raw, event: Event, execution: Execution) -> Movement:
        if event.amount_of_money is None:
            raise UnreadableError("PAYONE's event has no amount.", code="unreadable")
        taken = "RETURN" if execution.debit else "DISPUTE"
        refund = event.type == "REFUND"
        needs = {
            "kind": "REFUND" if refund else taken,
            "ref": (event.merchant_reference or event.payment_event_id)
            if refund
            else _CHARGEBACK_REF,
            "amount": answers.money(event.amount_of_money).minor,
        }
        return self._read("movement", raw, needs, Movement)

    def _body(self, name: str, payment: Payment, needs: Values[str, Any]) -> Body:
        made = self._mappings[name]
        with pointing.refusing(made, payment):
            return Body(made.to_json(payment, needs), made.reference)

    def _read(
        self, name: str, body: bytes | msgspec.Raw, needs: Values[str, Any], kind: type[T]
    ) -> T:
        made = translated(
            self._mappings[name],
            body,
            needs,
            title="PAYONE",
            is_status=lambda path: path in _STATUS or "status" in path.lower(),
        )
        return codec.convert(made, kind)


# Status whose amount is the payment's, or of which no money depends. All else is read back.
_PLAIN: Final = frozenset(
    """
    CREATED REDIRECTED PENDING_PAYMENT PENDING_COMPLETION AUTHORIZATION_REQUESTED PENDING_CAPTURE
    CAPTURE_REQUESTED CAPTURED CANCELLATION_REQUESTED CANCELLED REJECTED
    """.split()
)


def load(settings: Settings, *, overlays: Sequence[Document] = (), tenant: str = "") -> Made:  # noqa: ARG001 - every product's has them
    """The mappings for one merchant: the installed ones and the tenant's overlays.

    Raises:
        Refused: One of them does not fit PAYONE's objects.
    """
    return mappings_of("payone", {}, overlays=overlays, tenant=tenant)


def _check_method(payment: Payment) -> Capability:
    """What can be done with the method; raise where the payment does not go with it."""
    row = _METHODS.get(payment.method_code)
    if row is None:
        message = "method_code: PAYONE does not offer this payment method through us."
        raise Rejected(message, code="method_unsupported")
    held = payment.capture_method is CaptureMethod.MANUAL
    if held and "capture_payment" not in row.verbs:
        message = "capture_method: this method cannot be authorised now and captured later."
        raise Rejected(message, code="capture_method_unsupported")
    if row.currencies and payment.amount.currency not in row.currencies:
        message = "amount: PAYONE does not offer this payment method in this currency."
        raise Rejected(message, code="currency_unsupported")
    if row.redirect and not payment.return_url:
        message = "return_url is missing: PAYONE sends the payer to a page."
        raise Rejected(message, code="return_url_missing")
    form, expected = _TOKENS.get(row.method, (_ANY, "what the wallet gave"))
    if row.token and not form.fullmatch(payment.token):
        raise Rejected(f"token: expected {expected}.", code="token_invalid")
    if payment.splits:
        message = "splits: PAYONE does not divide payments through us."
        raise Rejected(message, code="splits_unsupported")
    return row


def _payer(payment: Payment) -> Party:
    """Who buys on invoice; raise where something is missing, or there is too much of an item."""
    payer = payers.check(payment, _ASKED, title="PAYONE")
    for index, one in enumerate(payment.items):
        if one.quantity > _MOST_PIECES or one.unit_price.minor > _HIGHEST_PRICE:
            message = f"payment.items[{index}]: PAYONE takes neither so many nor so dear ones."
            raise Rejected(message, code="basket_invalid")
    return payer


def _check_account(payment: Payment) -> None:
    """Raise where nobody knows from which account the payer pays, or what is known is masked."""
    account = payment.bank_account
    if account is None or not _IBAN.fullmatch(account.iban):
        message = "bank_account is missing: PAYONE collects from it."
        raise Rejected(message, code="bank_account_missing")


def _needs(payment: Payment, amount: Money, reference: str) -> dict[str, Any]:
    if amount.currency != payment.amount.currency:
        raise Rejected("amount: it is not in the payment's currency.", code="amount_invalid")
    return {"amount": answers.units(amount, "amount"), "reference": reference}


def _status(execution: Execution) -> str:
    """How far the collection is, by what was done last; nothing done is nothing heard yet."""
    done = [one for _, one in execution.read_events if one.type in _COLLECTING]
    if not done:
        return "CREATED"
    held = any(one.type == "RESERVATION" for one in done)
    refused = done[-1].type == "CAPTURE" and done[-1].payment_status.startswith("REJECTED")
    # A capture that was refused leaves what is held as it is.
    return "PENDING_CAPTURE" if held and refused else done[-1].payment_status
