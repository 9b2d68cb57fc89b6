"""The mappings of Stripe, and what their failures mean to a caller."""

import re
from collections.abc import Mapping as Values
from collections.abc import Sequence
from typing import Any, Final, TypeVar

import msgspec

from adapters.stripe import amounts, translation_actions
from adapters.stripe.answers import Charge, Dispute, Intent, Refund, Session, Setup
from adapters.stripe.answers import Payout as StripePayout
from adapters.stripe.capabilities import CAPABILITIES
from adapters.stripe.settings import Settings
from adapters.stripe.wire import Form
from gateway.errors import Rejected
from gateway.kit import commission, payers, splitting
from gateway.kit.answers import Answer, UnreadableError, translated
from gateway.kit.mapping import Document, Made, Mapping, pointing
from gateway.kit.mapping.installed import mappings_of
from gateway.kit.payers import Asked
from gateway.kit.splitting import Part
from gateway.model import codec
from gateway.model.dispute import DisputeAnswer, ProviderDispute
from gateway.model.held_mandate import HeldMandate, ProviderMandate
from gateway.model.money import Money
from gateway.model.movement import Movement
from gateway.model.payment import Payment, ProviderPayment, ProviderRefund
from gateway.model.payout import Payout, ProviderPayout
from gateway.model.split import SplitMode

T = TypeVar("T")

# Target field whose code list has no entry: what that means.
_REFUSALS: Final = {
    "/payment_method_types[]": (
        "Stripe does not offer this payment method.",
        "method_unsupported",
    ),
    "/capture_method": (
        "This method cannot be authorised now and captured later.",
        "capture_method_unsupported",
    ),
}
_SAVED_METHODS: Final = frozenset({"bacs_debit", "card_on_file"})
_SAVED: Final = re.compile(r"(?P<customer>cus_\w{1,200}):(?P<saved>pm_\w{1,200})", re.ASCII)
_METHODS: Final = {row.method: row for row in CAPABILITIES}
# Source: docs.stripe.com/payments, the page of each method.
_MAILED: Final = Asked(person=False, email=True)
_NAMED: Final = Asked(person=False)
_ASKED: Final = {
    "bancontact": _NAMED,
    "eps": _NAMED,
    "klarna": _MAILED,
    "przelewy24": _MAILED,
}
# Where a status stands that nobody told us of: in a closed list, and in an open one.
_STATUS: Final = {"$.status", "/state"}


class Translation:
    """Forms out, objects of theirs in.

    Args:
        mappings: As ``load`` makes them.
    """

    def __init__(self, mappings: Values[str, Mapping]) -> None:
        self._mappings = mappings

    def payment_form(self, payment: Payment) -> Form:
        """Create and confirm in one request.

        Raises:
            Rejected: Stripe cannot do this, or we do not know how; nothing was sent.
        """
        _check(payment)
        parts = _parts(payment)
        later = payment.split_mode is SplitMode.AFTER_PAYMENT
        needs = {
            "amount": amounts.units(payment.amount),
            "member": commission.member_of(payment.splits, title="Stripe") if parts else None,
            "commission": amounts.units(_commission(parts, payment)) or None,
            "group": payment.payment_id if later else None,
            **_saved(payment),
        }
        return self._form("payment_create", payment, needs)

    def capture_form(self, payment: Payment, amount: Money) -> Form:
        """Collect the amount, and of a part of it a part of the commission."""
        parts = _parts(payment)
        shares = splitting.reverse(parts, amount) if parts else ()
        share = amounts.units_below(_commission(shares, payment)) or None
        needs = {"amount": amounts.units(amount), "commission": share}
        return self._form("payment_capture", payment, needs)

    def increment_form(self, payment: Payment, amount: Money) -> Form:
        """Have the amount authorised in all."""
        return self._form("payment_increment", payment, {"amount": amounts.units(amount)})

    def refund_form(self, payment: Payment, refund_id: str, amount: Money) -> Form:
        """Give the amount back, from the member and the commission in proportion.

        Where transfers followed the payment, reversals follow the refund.
        """
        parts = _parts(payment)
        needs = {
            "amount": amounts.units(amount),
            "refund_id": refund_id,
            "shared": bool(parts),
            "commissioned": _commission(parts, payment).minor > 0,
        }
        return self._form("refund_create", payment, needs)

    def customer_form(self, mandate: HeldMandate) -> Form:
        """Whoever agrees, by our id of the mandate: nobody's name."""
        return self._form("customer_create", mandate, {})

    def session_form(self, mandate: HeldMandate, customer: str) -> Form:
        """The page on which a Customer agrees."""
        return self._form("session_create", mandate, {"customer": customer})

    def setup_form(self, mandate: HeldMandate, customer: str) -> Form:
        """The mandate of an account.

        Raises:
            Rejected: A field does not fit; nothing was sent.
        """
        return self._form("setup_create", mandate, {"customer": customer})

    def session_in(self, answer: Answer[Session]) -> ProviderMandate:
        """What a page says of the mandate.

        Raises:
            UnreadableError: Something is not in our tables; so for all that follow.
        """
        return self._read("session", answer.body, {}, ProviderMandate)

    def setup_in(self, answer: Answer[Setup], *, usable: bool) -> ProviderMandate:
        """What was agreed to.

        Args:
            usable: Whether it can still be collected by.
        """
        return self._read("setup", answer.body, {"flag": usable}, ProviderMandate)

    def payout_form(self, payout: Payout) -> Form:
        """Pay out of the balance of a member's account."""
        made, needs = self._mappings["payout_create"], amounts.payout_units(payout.amount)
        with pointing.refusing(made, payout):
            return Form(made.apply(payout, {"amount": needs}), made.reference)

    def payout_in(self, answer: Answer[StripePayout]) -> ProviderPayout:
        """The payout as Stripe has it."""
        needs = amounts.minors(answer.object.currency, amount=answer.object.amount)
        return self._read("payout", answer.body, needs, ProviderPayout)

    def payment_in(self, answer: Answer[Intent]) -> ProviderPayment:
        """The payment as a PaymentIntent has it.

        Raises:
            UnreadableError: Something is not in our tables; so for all that follow.
        """
        intent = answer.object
        needs = amounts.minors(
            intent.currency,
            amount=intent.amount,
            captured=amounts.received(intent),
            refunded=amounts.refunded(intent.latest_charge),
        )
        try:
            shown = translation_actions.details(answer.body)
        except msgspec.DecodeError as error:
            raise UnreadableError("Stripe's action cannot be read.", code="unreadable") from error
        return self._read(
            "payment_intent", answer.body, {**needs, "details": shown}, ProviderPayment
        )

    def charge_in(self, answer: Answer[Charge]) -> ProviderPayment:
        """The payment as its charge has it."""
        charge = answer.object
        captured, refunded = amounts.captured(charge), amounts.refunded(charge)
        needs = amounts.minors(
            charge.currency, amount=charge.amount, captured=captured, refunded=refunded
        )
        return self._read("charge", answer.body, needs, ProviderPayment)

    def dispute_in(self, answer: Answer[Dispute]) -> tuple[Movement, ...]:
        """The money that a dispute is about; none for an inquiry: nothing moves."""
        dispute = answer.object
        needs = amounts.minors(dispute.currency, amount=dispute.amount)
        made = self._target("dispute", answer.body, needs)
        return (codec.convert(made, Movement),) if "state" in made else ()

    def claim_in(self, answer: Answer[Dispute]) -> ProviderDispute:
        """The dispute as the Disputes API has it, with what it says of the money."""
        dispute = answer.object
        needs = amounts.minors(dispute.currency, amount=dispute.amount)
        due_by = {"due_by": dispute.due_by}
        claim = self._read("dispute_details", answer.body, needs | due_by, ProviderDispute)
        money = next(iter(self.dispute_in(answer)), None)
        return msgspec.structs.replace(claim, movement=money)

    def evidence_form(self, evidence: DisputeAnswer) -> Form:
        """Contest a claim."""
        made = self._mappings["dispute_evidence"]
        with pointing.refusing(made, evidence):
            return Form(made.apply(evidence, {"file": "".join(evidence.files)}), made.reference)

    def refund_in(self, answer: Answer[Refund]) -> ProviderRefund:
        """The refund as Stripe has it."""
        refund = answer.object
        needs = amounts.minors(refund.currency, amount=refund.amount)
        return self._read("refund", answer.body, needs, ProviderRefund)

    def _form(self, name: str, source: Payment | HeldMandate, needs: Values[str, Any]) -> Form:
        made = self._mappings[name]
        with pointing.refusing(made, source, _REFUSALS):
            return Form(made.apply(source, needs), made.reference)

    def _read(self, name: str, body: bytes, needs: Values[str, Any], kind: type[T]) -> T:
        return codec.convert(self._target(name, body, needs), kind)

    def _target(self, name: str, body: bytes, needs: Values[str, Any]) -> Values[str, Any]:
        return translated(
            self._mappings[name],
            body,
            needs,
            title="Stripe",
            is_status=lambda path: path in _STATUS,
        )


def load(_settings: Settings, *, overlays: Sequence[Document] = (), tenant: str = "") -> Made:
    """The mappings for one account: the installed ones and the tenant's overlays.

    Raises:
        Refused: One of them does not fit Stripe's objects.
    """
    return mappings_of("stripe", {}, overlays=overlays, tenant=tenant)


def _check(payment: Payment) -> None:
    """Raise where something is missing that the method needs."""
    row = _METHODS.get(payment.method_code)
    if row is None:
        return
    if row.payer:
        payers.check(payment, _ASKED[row.method], title="Stripe")
    if row.redirect and not payment.return_url:
        message = "return_url: Stripe sends the payer to a page."
        raise Rejected(message, code="return_url_missing")
    if payment.splits and not row.splits:
        message = "splits: Stripe does not divide what comes by this method."
        raise Rejected(message, code="splits_unsupported")


def _saved(payment: Payment) -> dict[str, str | None]:
    """Whose saved instrument it is, and which: Stripe takes one only with its Customer."""
    found = _SAVED.fullmatch(payment.token)
    # A SEPA debit may be one that we have had set up, or a token of the front-end's.
    needed = payment.method_code in _SAVED_METHODS
    if not needed and (found is None or payment.method_code != "sepa_debit"):
        return {"customer": None, "saved": None}
    if found is None:
        message = "token: expected a Customer and one of its PaymentMethods, parted by a colon."
        raise Rejected(message, code="token_invalid")
    return found.groupdict()


def _parts(payment: Payment) -> tuple[Part, ...]:
    """The parts that Stripe divides itself; none where transfers follow the payment."""
    parts = splitting.resolve(payment.splits, payment.amount)
    return () if payment.split_mode is SplitMode.AFTER_PAYMENT else parts


def _commission(parts: Sequence[Part], payment: Payment) -> Money:
    return commission.kept(parts, payment.amount.currency)
