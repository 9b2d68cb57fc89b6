"""The mappings of GoCardless, and what their failures mean to a caller."""

from collections.abc import Mapping as Values
from collections.abc import Sequence
from typing import Any, TypeVar

from adapters.gocardless.answers import BillingRequest, Debit, Event, Mandate, Refund
from adapters.gocardless.settings import Settings
from adapters.gocardless.wire import Body
from gateway.kit.answers import Answer, translated
from gateway.kit.mapping import Document, Made, Mapping, pointing
from gateway.kit.mapping.installed import mappings_of
from gateway.model import codec
from gateway.model.held_mandate import HeldMandate, ProviderMandate
from gateway.model.money import Money
from gateway.model.movement import Movement
from gateway.model.payment import Payment, ProviderPayment, ProviderRefund

T = TypeVar("T")


class Translation:
    """Bodies out, resources of theirs in.

    Args:
        mappings: As ``load`` makes them.
    """

    def __init__(self, mappings: Values[str, Mapping]) -> None:
        self._mappings = mappings

    def payment_body(self, payment: Payment) -> Body:
        """A payment against the mandate.

        Raises:
            Rejected: A field does not fit; nothing was sent.
        """
        return self._body("payment_create", payment, {"units": payment.amount.minor})

    def refund_body(self, payment: Payment, refund_id: str, amount: Money, total: int) -> Body:
        """Give the amount back.

        Args:
            total: All that will be given back of the payment with this, in minor units.
        """
        units = {"units": amount.minor, "total": total}
        needs = {"refund_id": refund_id, "amount": amount.amount, **units}
        return self._body("refund_create", payment, needs)

    def request_body(self, mandate: HeldMandate) -> Body:
        """A request for a mandate.

        Raises:
            Rejected: A field does not fit; nothing was sent.
        """
        return self._body("billing_request_create", mandate, {})

    def page_body(self, mandate: HeldMandate, request: str) -> Body:
        """The page of a request, on which the payer agrees."""
        return self._body("billing_request_flow_create", mandate, {"request": request})

    def request_in(
        self, answer: Answer[BillingRequest], url: str, expires_at: str
    ) -> ProviderMandate:
        """The request for a mandate as GoCardless has it.

        Args:
            url: The page on which the payer agrees; empty where none was made.
        """
        needs = {"url": url, "expires_at": expires_at}
        return codec.convert(self._target("billing_request", answer.body, needs), ProviderMandate)

    def mandate_in(self, answer: Answer[Mandate], request: str) -> ProviderMandate:
        """The mandate as GoCardless has it.

        Args:
            request: The request that has made it, where it is not known yet.
        """
        needs = {"request": request}
        return codec.convert(self._target("mandate", answer.body, needs), ProviderMandate)

    def payment_in(self, answer: Answer[Debit], cause: str = "") -> ProviderPayment:
        """The payment as GoCardless has it.

        Args:
            cause: Why it failed, from its events.

        Raises:
            UnreadableError: Something is not in our tables; so for all that follow.
        """
        return codec.convert(
            self._target("payment", answer.body, {"cause": cause}), ProviderPayment
        )

    def refund_in(self, answer: Answer[Refund]) -> ProviderRefund:
        """The refund as GoCardless has it."""
        return codec.convert(self._target("refund", answer.body, {}), ProviderRefund)

    def payment_told(
        self, answer: Answer[Event], amount: Money
    ) -> tuple[ProviderPayment | None, tuple[Movement, ...]]:
        """What an event of a payment says of it, and of money that came back."""
        needs = {"units": amount.minor, "currency": amount.currency}
        said = self._target("payment_event", answer.body, needs)
        payment = codec.convert(said, ProviderPayment) if "state" in said else None
        return payment, self._moved("return_event", answer, needs)

    def refund_told(self, answer: Answer[Event], amount: Money) -> tuple[Movement, ...]:
        """What an event of a refund says of the money."""
        needs = {"units": amount.minor, "currency": amount.currency}
        return self._moved("refund_event", answer, needs)

    def _moved(
        self, name: str, answer: Answer[Event], needs: Values[str, Any]
    ) -> tuple[Movement, ...]:
        # Without a state nothing has moved.
        made = self._target(name, answer.body, needs)
        return (codec.convert(made, Movement),) if "state" in made else ()

    def _body(self, name: str, source: Payment | HeldMandate, needs: Values[str, Any]) -> Body:
        made = self._mappings[name]
        with pointing.refusing(made, source):
            return Body(made.apply(source, needs), made.reference)

    def _target(self, name: str, body: bytes, needs: Values[str, Any]) -> Values[str, Any]:
        return translated(
            self._mappings[name],
            body,
            needs,
            title="GoCardless",
            thing="resource",
            is_status=lambda path: path in {"$.status", "$.action", "/state"},
        )


def load(_settings: Settings, *, overlays: Sequence[Document] = (), tenant: str = "") -> Made:
    """The mappings for one account: the installed ones and the tenant's overlays.

    Raises:
        Refused: One of them does not fit GoCardless's resources.
    """
    return mappings_of("gocardless", {}, overlays=overlays, tenant=tenant)
