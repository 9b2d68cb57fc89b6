"""The mappings of Stripe, and what their failures mean to a caller."""

from collections.abc import Mapping as Values
from collections.abc import Sequence
from typing import Any, Final, TypeVar

import msgspec

from adapters.stripe import amounts
from adapters.stripe.answers import Charge, Dispute, Intent, Refund
from adapters.stripe.answers import Payout as StripePayout
from adapters.stripe.settings import Settings
from adapters.stripe.wire import Form
from gateway.errors import Rejected
from gateway.kit.answers import Answer, translated
from gateway.kit.mapping import Document, Made, Mapping, MappingFailure, pointing
from gateway.kit.mapping.installed import mappings_of
from gateway.model import codec
from gateway.model.dispute import DisputeAnswer, ProviderDispute
from gateway.model.money import Money
from gateway.model.movement import Movement
from gateway.model.payment import Payment, ProviderPayment, ProviderRefund
from gateway.model.payout import Payout, ProviderPayout

T = TypeVar("T")

# Target field whose code list has no entry: what that means.
_REFUSALS: Final = {
    "/payment_method_types[]": (
        "Stripe does not offer this payment method.",
        "method_unsupported",
    ),
    "/capture_method": (
        "A SEPA debit cannot be authorised now and captured later.",
        "capture_method_unsupported",
    ),
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
        return self._form("payment_create", payment, {"amount": amounts.units(payment.amount)})

    def capture_form(self, payment: Payment, amount: Money) -> Form:
        """Collect the amount."""
        return self._form("payment_capture", payment, {"amount": amounts.units(amount)})

    def refund_form(self, payment: Payment, refund_id: str, amount: Money) -> Form:
        """Give the amount back."""
        needs = {"amount": amounts.units(amount), "refund_id": refund_id}
        return self._form("refund_create", payment, needs)

    def payout_form(self, payout: Payout) -> Form:
        """Pay out of the balance of a member's account."""
        made, needs = self._mappings["payout_create"], amounts.payout_units(payout.amount)
        try:
            return Form(made.apply(payout, {"amount": needs}), made.reference)
        except MappingFailure as failure:
            raise pointing.refusal(failure, made, payout) from failure

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
        return self._read("payment_intent", answer.body, needs, ProviderPayment)

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
        try:
            return Form(made.apply(evidence, {"file": "".join(evidence.files)}), made.reference)
        except MappingFailure as failure:
            raise pointing.refusal(failure, made, evidence) from failure

    def refund_in(self, answer: Answer[Refund]) -> ProviderRefund:
        """The refund as Stripe has it."""
        refund = answer.object
        needs = amounts.minors(refund.currency, amount=refund.amount)
        return self._read("refund", answer.body, needs, ProviderRefund)

    def _form(self, name: str, payment: Payment, needs: Values[str, Any]) -> Form:
        made = self._mappings[name]
        try:
            return Form(made.apply(payment, needs), made.reference)
        except MappingFailure as failure:
            if failure.path not in _REFUSALS:
                raise pointing.refusal(failure, made, payment) from failure
            message, code = _REFUSALS[failure.path]
            raise Rejected(message, code=code) from failure

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
