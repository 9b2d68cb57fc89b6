"""The mappings of Adyen's platform, and what their failures mean to a caller."""

from collections.abc import Mapping as Values
from collections.abc import Sequence
from typing import Any, Final, TypeVar

from adapters.adyen_platform.answers import CURRENCIES, Transfer
from adapters.adyen_platform.settings import Settings
from gateway.errors import Rejected
from gateway.kit.adapter import Body
from gateway.kit.answers import Answer, translated
from gateway.kit.mapping import Document, Made, Mapping, pointing
from gateway.kit.mapping.installed import mappings_of
from gateway.kit.sepa import characters
from gateway.model import codec
from gateway.model.money import Money
from gateway.model.payout import Payout, ProviderPayout
from gateway.model.transfer import MemberTransfer, ProviderReversal, ProviderTransfer

T = TypeVar("T")
_BACK: Final = frozenset({"returned", "reversed"})
_TEXT: Final = 140
_NAME: Final = 70


class Translation:
    """Bodies out, transfers of theirs in.

    Args:
        mappings: As ``load`` makes them.
    """

    def __init__(self, mappings: Values[str, Mapping], settings: Settings) -> None:
        self._mappings = mappings
        self._settings = settings

    def payout_body(self, payout: Payout) -> Body:
        """To a bank account, or to one that the member has verified.

        Raises:
            Rejected: Adyen cannot do this, or we do not know how; nothing was sent.
        """
        needs = {
            "amount": _counted(payout.amount),
            "source": self._settings.balance_account,
            "priority": self._settings.priority,
            "text": _written("text", payout.text, _TEXT),
            "name": _written("destination.name", payout.destination.name, _NAME),
        }
        return self._body("payout_create", payout, needs)

    def transfer_body(
        self, transfer: MemberTransfer, reference: str, amount: Money, source: str, target: str
    ) -> Body:
        """From one balance account to another."""
        needs = {
            "amount": _counted(amount),
            "source": source,
            "target": target,
            "reference": reference,
            "text": _written("text", transfer.text, _TEXT),
        }
        return self._body("transfer_create", transfer, needs)

    def payout_in(self, answer: Answer[Transfer]) -> ProviderPayout:
        """The payout as Adyen has it.

        Raises:
            UnreadableError: Something is not in our tables; so for what follows.
        """
        return self._read("payout", answer, ProviderPayout, {})

    def transfer_in(self, answer: Answer[Transfer]) -> ProviderTransfer:
        """The transfer as Adyen has it; what we moved back of it is another one."""
        amount = answer.object.amount.money.minor
        back = amount if answer.object.status in _BACK else 0
        return self._read("transfer", answer, ProviderTransfer, {"reversed": back})

    def reversal_in(self, answer: Answer[Transfer]) -> ProviderReversal:
        """The transfer that moves money back."""
        return self._read("reversal", answer, ProviderReversal, {})

    def _body(self, name: str, thing: Any, needs: Values[str, Any]) -> Body:
        made = self._mappings[name]
        with pointing.refusing(made, thing):
            return Body(made.to_json(thing, needs), made.reference)

    def _read(
        self, name: str, answer: Answer[Transfer], kind: type[T], more: Values[str, Any]
    ) -> T:
        made = translated(
            self._mappings[name],
            answer.body,
            {"amount": answer.object.amount.money.minor, **more},
            title="Adyen",
            is_status=lambda path: path in {"/state", "$.status"},
        )
        return codec.convert(made, kind)


def load(_settings: Settings, *, overlays: Sequence[Document] = (), tenant: str = "") -> Made:
    """The mappings for one platform: the installed ones and the tenant's overlays.

    Raises:
        Refused: One of them does not fit Adyen's objects.
    """
    return mappings_of("adyen_platform", {}, overlays=overlays, tenant=tenant)


def _counted(amount: Money) -> int:
    if amount.currency not in CURRENCIES:
        message = "amount.currency is none that Adyen moves through us."
        raise Rejected(message, code="currency_unsupported")
    return amount.minor


def _written(field: str, text: str, at_most: int) -> str:
    """The text in the characters that banks take.

    Raises:
        Rejected: One of them has no spelling there.
    """
    try:
        return characters.written(text, at_most=at_most) if text else ""
    except ValueError as error:
        raise Rejected(f"{field}: banks do not take this writing.", code="text_invalid") from error
