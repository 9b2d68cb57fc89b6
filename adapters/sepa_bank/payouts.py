"""Payouts by files: promised at once, and kept by the export that writes the file.

As with payments nobody is asked, so what became of a payout only the bank's own files tell.
"""

from collections.abc import Mapping

from adapters.sepa_bank import references
from adapters.sepa_bank.settings import Settings
from gateway.errors import Rejected
from gateway.kit import mapping
from gateway.kit.sepa import identifiers
from gateway.kit.sepa.documents.checks import amount_fault
from gateway.model.payout import DestinationKind, Payout, PayoutState, ProviderPayout
from gateway.ports.exchange import Exchange


class SepaBankPayouts:
    """Transfers to accounts of others.

    Args:
        mappings: Not needed here; the files are written by them.
    """

    destinations = frozenset({DestinationKind.IBAN})

    def __init__(
        self,
        settings: Settings,
        mappings: Mapping[str, mapping.Mapping] | None = None,  # noqa: ARG002 - as every port is made
    ) -> None:
        self._settings = settings

    def create_payout(self, payout: Payout, *, key: str) -> Exchange[ProviderPayout]:  # noqa: ARG002 - the id itself is the key
        """Promise to pay; every rule of the file is looked at when it is written, too."""
        yield from ()
        if payout.destination.kind is not DestinationKind.IBAN:
            message = "destination: a bank pays to accounts with an IBAN only."
            raise Rejected(message, code="destination_unsupported")
        if fault := identifiers.payable_fault(payout.destination.iban):
            raise Rejected(f"destination.iban breaks the rule {fault}.", code=fault)
        if fault := amount_fault(payout.amount):
            raise Rejected(f"amount breaks the rule {fault}.", code=fault)
        return _said(payout, PayoutState.PENDING)

    def cancel_payout(self, payout: Payout, *, key: str) -> Exchange[ProviderPayout]:  # noqa: ARG002 - it is the same every time
        """Give up what stands in no file yet."""
        yield from ()
        if payout.submitted_at:
            message = "The payout is in a file for the bank already; have the bank withdraw it."
            raise Rejected(message, code="already_submitted")
        return _said(payout, PayoutState.CANCELLED)

    def find_payout(self, payout: Payout) -> Exchange[ProviderPayout | None]:
        """What was promised; what became of it only the bank's files tell."""
        yield from ()
        if payout.provider_ref != references.of_payout(payout.payout_id):
            return None
        return _said(payout, PayoutState.PENDING)


def _said(payout: Payout, state: PayoutState) -> ProviderPayout:
    return ProviderPayout(
        provider_ref=references.of_payout(payout.payout_id), state=state, amount=payout.amount
    )
