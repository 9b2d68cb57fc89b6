"""The mappings of PayPal's payouts."""

from collections.abc import Mapping as Values

import msgspec

from adapters.paypal import translation_shares as shares
from adapters.paypal.answers_payouts import BatchHeader, PayoutItem
from adapters.paypal.translation import METHODS, written
from gateway.errors import Rejected
from gateway.kit.adapter import Body
from gateway.kit.answers import translated
from gateway.kit.mapping import Mapping, pointing
from gateway.model import codec
from gateway.model.payout import Payout, ProviderPayout


class PayoutTranslation:
    """Bodies out, batches in.

    Args:
        mappings: As ``translation.load`` makes them.
    """

    def __init__(self, mappings: Values[str, Mapping]) -> None:
        self._mappings = mappings

    def payout_body(self, payout: Payout) -> Body:
        """One receiver, in a batch of its own.

        Raises:
            Rejected: PayPal cannot do this; nothing was sent.
        """
        currency = payout.amount.currency
        if currency not in METHODS["paypal"].currencies:
            message = "amount.currency is none that PayPal sends."
            raise Rejected(message, code="currency_unsupported")
        if payout.amount.minor < 1 or payout.amount.minor % shares.step(currency):
            message = "amount is nothing, or finer than PayPal takes in this currency."
            raise Rejected(message, code="amount_too_fine")
        made = self._mappings["payout_create"]
        with pointing.refusing(made, payout):
            body = made.to_json(payout, {"amount": written(payout.amount)})
        return Body(body, made.reference)

    def payout_in(self, header: BatchHeader, item: PayoutItem) -> ProviderPayout:
        """The payout as its only receiver has it.

        Raises:
            UnreadableError: Something is not in our tables.
        """
        whole = header.batch_status in {"DENIED", "CANCELED"}
        status = f"batch.{header.batch_status}" if whole else f"item.{item.transaction_status}"
        made = translated(
            self._mappings["payout"],
            msgspec.json.encode({"payout_batch_id": header.payout_batch_id}),
            {
                "amount": item.money.minor,
                "currency": item.money.currency,
                "status": status,
                "reason": item.errors.name if item.errors else None,
            },
            title="PayPal",
            is_status=lambda path: path == "/state",
        )
        return codec.convert(made, ProviderPayout)
