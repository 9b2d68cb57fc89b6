"""The mappings of Mollie, and what their failures mean to a caller."""

import re
from collections.abc import Mapping as Values
from collections.abc import Sequence
from typing import Any, Final, TypeVar

import msgspec

from adapters.mollie import answers
from adapters.mollie import translation_checks as checks
from adapters.mollie.answers import CHARGEBACK, REFUND, Amount, Chargeback, Details, Refund
from adapters.mollie.capabilities import CAPABILITIES
from adapters.mollie.settings import Settings
from gateway.errors import Rejected
from gateway.kit.adapter import Body
from gateway.kit.answers import Answer, UnreadableError, translated
from gateway.kit.mapping import Document, Made, Mapping, pointing
from gateway.kit.mapping.installed import mappings_of
from gateway.model import codec
from gateway.model.held_mandate import HeldMandate, ProviderMandate
from gateway.model.money import Money
from gateway.model.movement import Movement
from gateway.model.payment import Payment, ProviderPayment, ProviderRefund

T = TypeVar("T")

_METHODS: Final = {row.method: row for row in CAPABILITIES}
# Charged by a mandate, without the payer. The token names the customer, and after a hyphen one
# mandate where it shall not be any of the customer's.
_RECURRING: Final = frozenset(
    {"card_on_file", "paypal_vault", "sepa_debit", "sepa_direct_debit", "bacs_debit"}
)
_MANDATE: Final = re.compile(r"(cst_[A-Za-z0-9]+)(?:-(mdt_[A-Za-z0-9]+))?")
# Two decimals at Mollie, none at PayPal. Source: docs.mollie.com/docs/paypal, read 2026-11.
_WHOLE_AT_PAYPAL: Final = frozenset({"HUF", "TWD"})
# Target field whose code list has no entry: what that means.
_REFUSALS: Final = {
    "/method": ("Mollie does not offer this payment method through us.", "method_unsupported"),
    "/captureMode": (
        "payment.capture_method: this method cannot be authorised now and captured later.",
        "capture_method_unsupported",
    ),
}


class Translation:
    """Bodies out, objects of theirs in.

    Args:
        mappings: As ``load`` makes them.
    """

    def __init__(self, settings: Settings, mappings: Values[str, Mapping]) -> None:
        self._mappings = mappings
        self._way_back = bool(settings.redirect_url)

    def payment_body(self, payment: Payment) -> Body:
        """Charge a token or a mandate, or make a page to pay on.

        Raises:
            Rejected: Mollie cannot do this, or we do not know how; nothing was sent.
        """
        row = _METHODS.get(payment.method_code)
        _check_amount(payment.amount, payment)
        _check_currency(payment)
        checks.check_capture(payment, row)
        customer, mandate = _mandate(payment)
        if customer is None and not payment.return_url and not self._way_back:
            raise Rejected(
                "payment.return_url is missing: Mollie sends the payer to a page.",
                code="return_url_missing",
            )
        given, family = checks.names(payment)
        needs = {
            "amount": _written(payment.amount),
            "customer": customer,
            "mandate": mandate,
            "given": given,
            "family": family,
            "routes": checks.routes(payment, row),
        }
        return self._body("payment_create", payment, needs)

    def capture_body(self, payment: Payment, amount: Money) -> Body:
        """Collect the amount."""
        _check_amount(amount, payment)
        checks.check_part_of(payment, amount)
        return self._body("payment_capture", payment, {"amount": _written(amount)})

    def refund_body(self, payment: Payment, refund_id: str, amount: Money) -> Body:
        """Give the amount back."""
        _check_amount(amount, payment)
        needs = {
            "amount": _written(amount),
            "refund_id": refund_id,
            "reversals": checks.reversals(payment, refund_id, amount),
        }
        return self._body("refund_create", payment, needs)

    def customer_body(self, mandate: HeldMandate) -> Body:
        """Whoever gives a mandate, by our id of it: nobody's name."""
        return self._body("customer_create", mandate, {})

    def mandate_body(self, mandate: HeldMandate) -> Body:
        """The mandate of an account.

        Raises:
            Rejected: A field does not fit; nothing was sent.
        """
        return self._body("mandate_create", mandate, {})

    def mandate_in(self, answer: Answer[answers.Mandate]) -> ProviderMandate:
        """The mandate as Mollie has it."""
        return self._read("mandate", answer.body, {}, ProviderMandate)

    def payment_in(self, answer: Answer[answers.Payment]) -> ProviderPayment:
        """The payment as Mollie has it.

        Raises:
            UnreadableError: Something is not in our tables; so for all that follow.
        """
        theirs = answer.object
        amount = theirs.amount.money
        nothing = Money(0, amount.currency)
        # Methods that are never captured later say nothing of it: paid is paid.
        captured = amount if theirs.status == "paid" else nothing
        if theirs.amount_captured is not None:
            captured = theirs.amount_captured.money
        refunded = theirs.amount_refunded.money if theirs.amount_refunded else nothing
        needs = {
            "amount": amount.minor,
            "captured": _same(captured, amount).minor,
            "refunded": _same(refunded, amount).minor,
            "page": theirs.page,
            "details": _shown(theirs.details),
        }
        found = self._read("payment", answer.body, needs, ProviderPayment)
        return msgspec.structs.replace(found, movements=self._movements(theirs))

    def _movements(self, theirs: answers.Payment) -> tuple[Movement, ...]:
        """What is embedded in a payment."""
        try:
            refunds = [Answer(raw, REFUND.decode(raw)) for raw in theirs.embedded.refunds]
            taken = [Answer(raw, CHARGEBACK.decode(raw)) for raw in theirs.embedded.chargebacks]
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise UnreadableError("Mollie's object cannot be read.", code="unreadable") from error
        parts: list[Refund | Chargeback] = [one.object for one in refunds]
        parts += [one.object for one in taken]
        for one in parts:
            _same(one.amount.money, theirs.amount.money)
            if one.payment_id != theirs.id:
                raise UnreadableError("A part is of another payment.", code="unreadable")
        given_back = [self.refund_in(one).movement for one in refunds]
        return (*given_back, *map(self.chargeback_in, taken))

    def refund_in(self, answer: Answer[Refund]) -> ProviderRefund:
        """The refund as Mollie has it."""
        needs = {"amount": answer.object.amount.money.minor}
        return self._read("refund", answer.body, needs, ProviderRefund)

    def chargeback_in(self, answer: Answer[Chargeback]) -> Movement:
        """What was taken back."""
        needs = {"amount": answer.object.amount.money.minor}
        return self._read("chargeback", answer.body, needs, Movement)

    def _body(self, name: str, source: Payment | HeldMandate, needs: Values[str, Any]) -> Body:
        made = self._mappings[name]
        with pointing.refusing(made, source, _REFUSALS):
            return Body(made.to_json(source, needs), made.reference)

    def _read(self, name: str, body: bytes, needs: Values[str, Any], kind: type[T]) -> T:
        made = translated(
            self._mappings[name],
            body,
            needs,
            title="Mollie",
            is_status=lambda path: path == "$.status",
        )
        return codec.convert(made, kind)


def load(settings: Settings, *, overlays: Sequence[Document] = (), tenant: str = "") -> Made:
    """The mappings for one profile: the installed ones and the tenant's overlays.

    Raises:
        Refused: One of them does not fit Mollie's objects.
    """
    config = {"webhook_url": settings.webhook_url, "redirect_url": settings.redirect_url}
    return mappings_of("mollie", config, overlays=overlays, tenant=tenant)


def _check_amount(amount: Money, payment: Payment) -> None:
    """Raise where there is nothing to move, or in another currency than the payment's."""
    if amount.minor < 1 or amount.currency != payment.amount.currency:
        raise Rejected(
            "payment.amount is nothing, or the amount is not in its currency.",
            code="amount_invalid",
        )


def _check_currency(payment: Payment) -> None:
    """Raise where the method does not take the currency, or not so fine an amount."""
    amount, row = payment.amount, _METHODS.get(payment.method_code)
    if row is None:  # a tenant's own, or none: the mapping knows
        return
    if amount.currency not in row.currencies:
        raise Rejected(
            f"payment.amount.currency is none that Mollie takes for {row.method}.",
            code="currency_unsupported",
        )
    whole = row.method.startswith("paypal") and amount.currency in _WHOLE_AT_PAYPAL
    if whole and amount.minor % 100:
        raise Rejected(
            "payment.amount has decimals, which PayPal does not take in this currency.",
            code="amount_too_fine",
        )


def _mandate(payment: Payment) -> tuple[str | None, str | None]:
    """Customer and mandate; neither where the payer takes part."""
    if payment.method_code not in _RECURRING:
        return None, None
    named = _MANDATE.fullmatch(payment.token)
    if named is None:
        raise Rejected(
            "payment.token is no customer of Mollie, cst_… or cst_…-mdt_….", code="token_invalid"
        )
    return named[1], named[2]


def _shown(details: Details | None) -> dict[str, str]:
    """What to show the payer, by our names."""
    if details is None:
        return {}
    known = {
        "iban": details.bank_account,
        "bic": details.bank_bic,
        "reference": details.transfer_reference or details.multibanco_reference,
        "entity": details.multibanco_entity,
    }
    return {name: str(value) for name, value in known.items() if value}


def _written(amount: Money) -> Amount:
    return Amount(amount.currency, amount.amount)


def _same(part: Money, whole: Money) -> Money:
    """The part, if it is of the same currency."""
    if part.currency != whole.currency:
        raise UnreadableError("Mollie's amounts are in several currencies.", code="unreadable")
    return part
