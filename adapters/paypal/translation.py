"""The mappings of PayPal, and what their failures mean to a caller."""

import re
from collections.abc import Mapping as Values
from collections.abc import Sequence
from typing import Any, Final, TypeVar

import msgspec

from adapters.paypal import translation_orders as orders
from adapters.paypal import translation_shares as shares
from adapters.paypal.answers import ORDER, Amount, Claim, Order, Part, Refund
from adapters.paypal.capabilities import CAPABILITIES
from adapters.paypal.settings import Settings
from gateway.errors import Rejected
from gateway.kit import payers
from gateway.kit.adapter import Body
from gateway.kit.answers import Answer, UnreadableError, believed, mismatch, translated
from gateway.kit.mapping import Document, Made, Mapping, pointing
from gateway.kit.mapping.installed import mappings_of
from gateway.kit.payers import Asked
from gateway.model import codec
from gateway.model.dispute import DisputeAnswer, ProviderDispute
from gateway.model.held_mandate import HeldMandate, ProviderMandate
from gateway.model.money import Money
from gateway.model.movement import Movement
from gateway.model.payment import CaptureMethod, Payment, ProviderPayment, ProviderRefund

T = TypeVar("T")

METHODS: Final = {row.method: row for row in CAPABILITIES}
# No decimals at PayPal. Source: developer.paypal.com/api/rest/reference/currency-codes.
_WHOLE: Final = frozenset({"HUF", "JPY", "TWD"})
_NAMED: Final = Asked(person=False)
_ASKED: Final = {"przelewy24": Asked(person=False, email=True)}
_NAME: Final = 3  # characters, at least. Source: checkout_orders_v2, full_name
_VAULT_ID: Final = re.compile(r"[0-9a-zA-Z_-]{1,255}")
NOTHING: Final = Body(b"{}")


class Translation:
    """Bodies out, objects of theirs in.

    Args:
        mappings: As ``load`` makes them.
    """

    def __init__(self, mappings: Values[str, Mapping], settings: Settings) -> None:
        self._mappings = mappings
        self._client_id = settings.client_id

    def order_body(self, payment: Payment) -> Body:
        """Charge something saved, or make an order that the payer approves on a page.

        Raises:
            Rejected: PayPal cannot do this, or we do not know how; nothing was sent.
        """
        _check_method(payment)
        _check_amount(payment.amount, payment)
        needs = {
            "amount": written(payment.amount),
            "member": shares.member_of(payment),
            "commission": _kept(shares.commission(payment)),
        }
        return self._body("order_create", payment, needs)

    def setup_body(self, mandate: HeldMandate, customer: str) -> Body:
        """What the payer approves, to be charged later without the payer.

        Raises:
            Rejected: A field does not fit; nothing was sent.
        """
        return self._body("setup_create", mandate, {"customer": customer})

    def token_body(self, mandate: HeldMandate) -> Body:
        """The agreement that was approved."""
        return self._body("agreement_create", mandate, {})

    def setup_in(self, body: bytes) -> ProviderMandate:
        """The setup token as PayPal has it.

        Raises:
            UnreadableError: Something is not in our tables; so for all that follow.
        """
        return self._read("setup", body, {}, ProviderMandate)

    def token_in(self, body: bytes) -> ProviderMandate:
        """The agreement as PayPal has it."""
        return self._read("agreement", body, {}, ProviderMandate)

    def acting_for(self, payment: Payment) -> tuple[tuple[bytes, bytes], ...]:
        """Headers that say whose money it is; none where it is ours."""
        return shares.acting_for(payment, self._client_id)

    def source_body(self, payment: Payment, order: bytes) -> Body | None:
        """How a bank's customer pays an order; None where the order says it."""
        if not METHODS[payment.method_code].payer or ORDER.decode(order).status != "CREATED":
            return None
        return self._body("order_confirm", payment, {})

    def capture_body(self, payment: Payment, amount: Money) -> Body:
        """Collect the amount, and of a part of it a part of our fee."""
        _check_amount(amount, payment)
        needs = {
            "amount": written(amount),
            "commission": _kept(shares.commission_of_capture(payment, amount)),
        }
        return self._body("payment_capture", payment, needs)

    def refund_body(self, payment: Payment, refund_id: str, amount: Money) -> Body:
        """Give the amount back, our fee in proportion."""
        _check_amount(amount, payment)
        needs = {
            "amount": written(amount),
            "refund_id": refund_id,
            "commission": _kept(shares.commission_of_refund(payment, refund_id, amount)),
        }
        return self._body("refund_create", payment, needs)

    def payment_in(self, answer: Answer[Order]) -> ProviderPayment:
        """The payment as its order has it.

        Raises:
            UnreadableError: Something is not in our tables; so for all that follow.
        """
        order = answer.object
        amount = order.unit.amount.money
        refunds = [self.refund_in(one) for one in orders.refunds_of(order)]
        returned = [one.amount for one in refunds if one.state == "SETTLED"]
        captured = [one.amount.money for one in order.captures if orders.collected(one)]
        telling = orders.telling(order)
        needs = {
            "amount": amount.minor,
            "currency": amount.currency,
            "captured": _sum(captured, amount),
            "refunded": _sum(returned, amount),
            "kind": "order" if telling is None else _kind(order, telling),
            "status": order.status if telling is None else telling.status,
            "reason": orders.failure(telling) if telling else None,
            "page": orders.page(order) if telling is None else None,
        }
        found = self._read("payment", answer.body, needs, ProviderPayment)
        claimed = [self.dispute_in(one) for one in order.captures if orders.disputed(one)]
        moved = (*(one.movement for one in refunds), *claimed)
        return msgspec.structs.replace(found, movements=moved)

    def checked(self, answer: Answer[Order], payment: Payment) -> ProviderPayment:
        """The same of this payment, with the disputes that are over.

        Raises:
            InDoubt: It is about something else, or cannot be read.
        """
        found = believed(lambda: self.payment_in(answer))
        other = payment.provider_ref and answer.object.id != payment.provider_ref
        ours = answer.object.unit.custom_id == payment.payment_id
        if other or not ours or found.amount != payment.amount:
            raise mismatch("PayPal")
        won = orders.disputes_won(answer.object, payment)
        return msgspec.structs.replace(found, movements=(*found.movements, *won))

    def dispute_in(self, capture: Part) -> Movement:
        """What is claimed of a capture, or was taken back."""
        needs = {"amount": capture.amount.money.minor}
        return self._read("dispute", msgspec.json.encode(capture), needs, Movement)

    def declined(self, payment: Payment, issue: str) -> ProviderPayment:
        """A payment that PayPal refuses to make, without an order."""
        needs = {
            "amount": payment.amount.minor,
            "currency": payment.amount.currency,
            "captured": 0,
            "refunded": 0,
            "kind": "capture",
            "status": "DECLINED",
            "reason": issue,
            "page": None,
        }
        body = msgspec.json.encode({"id": payment.provider_ref})
        return self._read("payment", body, needs, ProviderPayment)

    def refund_in(self, answer: Answer[Refund]) -> ProviderRefund:
        """The refund as PayPal has it."""
        needs = {"amount": answer.object.amount.money.minor}
        return self._read("refund", answer.body, needs, ProviderRefund)

    def claim_in(self, answer: Answer[Claim], capture_id: str) -> ProviderDispute:
        """The claim as the Disputes API has it; the order says what became of the money."""
        claim, amount = answer.object, answer.object.dispute_amount.money
        needs = {
            "capture_id": capture_id,
            "amount": amount.minor,
            "currency": amount.currency,
            "word": claim.word,
        }
        return self._read("claim", answer.body, needs, ProviderDispute)

    def evidence_body(self, evidence: DisputeAnswer) -> Body:
        """Contest a claim."""
        made = self._mappings["claim_evidence"]
        with pointing.refusing(made, evidence):
            return Body(made.to_json(evidence, {}), made.reference)

    def _body(self, name: str, source: Payment | HeldMandate, needs: Values[str, Any]) -> Body:
        made = self._mappings[name]
        with pointing.refusing(made, source):
            return Body(made.to_json(source, needs), made.reference)

    def _read(
        self, name: str, body: bytes | msgspec.Raw, needs: Values[str, Any], kind: type[T]
    ) -> T:
        made = translated(
            self._mappings[name],
            body,
            needs,
            title="PayPal",
            is_status=lambda path: path in {"/state", "$.status"},
        )
        return codec.convert(made, kind)


def load(_settings: Settings, *, overlays: Sequence[Document] = (), tenant: str = "") -> Made:
    """The mappings for one account: the installed ones and the tenant's overlays.

    Raises:
        Refused: One of them does not fit PayPal's objects.
    """
    return mappings_of("paypal", {}, overlays=overlays, tenant=tenant)


def _check_method(payment: Payment) -> None:
    """Raise where PayPal does not have the method, or not with this currency, token or page."""
    row = METHODS.get(payment.method_code)
    if row is None:
        message = "payment.method_code is none that PayPal offers through us."
        raise Rejected(message, code="method_unsupported")
    if payment.amount.currency not in row.currencies:
        message = "payment.amount.currency is none that PayPal takes for this method."
        raise Rejected(message, code="currency_unsupported")
    if row.token and not _VAULT_ID.fullmatch(payment.token):
        message = "payment.token is no id of PayPal's vault."
        raise Rejected(message, code="token_invalid")
    if payment.capture_method is CaptureMethod.MANUAL and "capture_payment" not in row.verbs:
        message = "payment.capture_method: this method cannot be captured later."
        raise Rejected(message, code="capture_method_unsupported")
    if row.payer:
        payer = payers.check(payment, _ASKED.get(row.method, _NAMED), title="PayPal")
        if len(payer.display_name) < _NAME:
            message = "payment.payer.names: PayPal takes no name that is so short."
            raise Rejected(message, code="field_invalid")
    if row.redirect and not payment.return_url:
        message = "payment.return_url is missing: PayPal sends the payer to a page."
        raise Rejected(message, code="return_url_missing")


def _check_amount(amount: Money, payment: Payment) -> None:
    """Raise where there is nothing to move, in another currency, or finer than PayPal takes."""
    if amount.minor < 1 or amount.currency != payment.amount.currency:
        message = "payment.amount is nothing, or the amount is not in its currency."
        raise Rejected(message, code="amount_invalid")
    if amount.minor % shares.step(amount.currency):
        message = "payment.amount has decimals, which PayPal does not take in this currency."
        raise Rejected(message, code="amount_too_fine")


def _kind(order: Order, part: Part) -> str:
    return "capture" if part in order.captures else "authorization"


def written(amount: Money) -> Amount:
    """The amount as PayPal writes it."""
    value = amount.amount.partition(".")[0] if amount.currency in _WHOLE else amount.amount
    return Amount(amount.currency, value)


def _kept(amount: Money) -> str | None:
    return written(amount).value if amount.minor else None


def _sum(parts: Sequence[Money], whole: Money) -> int:
    """The parts together, if they are of the same currency."""
    if any(one.currency != whole.currency for one in parts):
        raise UnreadableError("PayPal's amounts are in several currencies.", code="unreadable")
    return sum(one.minor for one in parts)
