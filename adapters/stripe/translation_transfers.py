"""The mappings of Stripe's transfers and their reversals."""

from collections.abc import Mapping as Values
from typing import Any, TypeVar

from adapters.stripe import amounts
from adapters.stripe.answers import Reversal, Transfer
from adapters.stripe.wire import Form
from gateway.kit.answers import Answer, translated
from gateway.kit.mapping import Mapping, pointing
from gateway.model import codec
from gateway.model.money import Money
from gateway.model.transfer import MemberTransfer, ProviderReversal, ProviderTransfer

T = TypeVar("T")


class TransferTranslation:
    """Forms out, objects of theirs in.

    Args:
        mappings: As ``translation.load`` makes them.
    """

    def __init__(self, mappings: Values[str, Mapping]) -> None:
        self._mappings = mappings

    def transfer_form(self, transfer: MemberTransfer, charge: str) -> Form:
        """Move the amount to the member.

        Args:
            charge: Whose money it is; empty for the balance.
        """
        needs = {"amount": amounts.units(transfer.amount), "charge": charge or None}
        return self._form("transfer_create", transfer, needs)

    def reversal_form(self, transfer: MemberTransfer, reversal_id: str, amount: Money) -> Form:
        """Move the amount back."""
        needs = {"amount": amounts.units(amount), "reversal_id": reversal_id}
        return self._form("reversal_create", transfer, needs)

    def transfer_in(self, answer: Answer[Transfer]) -> ProviderTransfer:
        """The transfer as Stripe has it.

        Raises:
            UnreadableError: Something is not in our tables; so for what follows.
        """
        one = answer.object
        needs = amounts.minors(one.currency, amount=one.amount, reversed=one.amount_reversed)
        return self._read("transfer", answer, needs, ProviderTransfer)

    def reversal_in(self, answer: Answer[Reversal]) -> ProviderReversal:
        """The reversal as Stripe has it."""
        needs = amounts.minors(answer.object.currency, amount=answer.object.amount)
        return self._read("transfer_reversal", answer, needs, ProviderReversal)

    def _form(self, name: str, transfer: MemberTransfer, needs: Values[str, Any]) -> Form:
        made = self._mappings[name]
        with pointing.refusing(made, transfer):
            return Form(made.apply(transfer, needs), made.reference)

    def _read(self, name: str, answer: Answer[Any], needs: Values[str, Any], kind: type[T]) -> T:
        made = translated(
            self._mappings[name],
            answer.body,
            needs,
            title="Stripe",
            is_status=lambda path: path == "/state",
        )
        return codec.convert(made, kind)
