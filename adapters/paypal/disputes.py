"""Disputes: claims of payers, accepted or contested.

A dispute is found by the capture that is disputed. PayPal knows no keys here: whoever is in doubt
reads the dispute, which tells whether it was answered.

Source: paypal-rest-api-specifications of 2024-02 (customer_disputes_v1);
developer.paypal.com/docs/disputes/integration-guide, read 2026-11.
"""

from collections.abc import Mapping
from typing import Final

from adapters.paypal import translation, wire
from adapters.paypal.answers import CLAIM, CLAIMS
from adapters.paypal.settings import Settings
from adapters.paypal.translation import Translation
from gateway.errors import InDoubt, Rejected
from gateway.kit import mapping
from gateway.kit.adapter import Body, segment
from gateway.kit.answers import Answer, believed, mismatch
from gateway.model.dispute import DisputeAnswer, DisputeState, ProviderDispute
from gateway.model.payment import Payment
from gateway.ports.exchange import Exchange

_DISPUTES: Final = "/v1/customer/disputes"
_REFUND: Final = Body(b'{"accept_claim_type":"REFUND"}')


class PayPalDisputes:
    """The disputes of one account.

    Args:
        mappings: With the tenant's overlays; None for those that are delivered.
    """

    def __init__(
        self, settings: Settings, mappings: Mapping[str, mapping.Mapping] | None = None
    ) -> None:
        self._wire = wire.Wire(settings)
        self._translation = Translation(mappings or translation.load(settings), settings)

    def find_dispute(self, payment: Payment, provider_ref: str) -> Exchange[ProviderDispute | None]:
        """The newest dispute of the capture."""
        dispute_id = yield from self._dispute_id(provider_ref)
        if not dispute_id:
            return None
        return (yield from self._read(payment, provider_ref, dispute_id, wrote=False))

    def accept_dispute(
        self, payment: Payment, provider_ref: str, *, key: str
    ) -> Exchange[ProviderDispute]:
        """Let PayPal give the money back: the order then has a refund."""
        dispute_id = yield from self._known(provider_ref)
        path = f"{_path(dispute_id)}/accept-claim"
        wire.check((yield self._wire.post(path, _REFUND, key=key)), wrote=True)
        return (yield from self._answered(payment, provider_ref, dispute_id))

    def submit_evidence(
        self, payment: Payment, provider_ref: str, evidence: DisputeAnswer, *, key: str
    ) -> Exchange[ProviderDispute]:
        """Say in words why the claim is wrong.

        Raises:
            Rejected: There are files; they go with the request only, and we do not have them.
        """
        if evidence.files:
            raise Rejected("files: PayPal keeps none; upload them there.", code="files_unsupported")
        body = self._translation.evidence_body(evidence)
        dispute_id = yield from self._known(provider_ref)
        path = f"{_path(dispute_id)}/provide-evidence"
        wire.check((yield self._wire.post_input(path, body, key=key)), wrote=True)
        return (yield from self._answered(payment, provider_ref, dispute_id))

    def _known(self, provider_ref: str) -> Exchange[str]:
        dispute_id = yield from self._dispute_id(provider_ref)
        if not dispute_id:
            raise Rejected("PayPal has no dispute of this capture.", code="dispute_missing")
        return dispute_id

    def _dispute_id(self, capture_id: str) -> Exchange[str]:
        address = f"{_DISPUTES}?disputed_transaction_id={segment(capture_id)}"
        response = yield self._wire.get(address)
        if wire.missing(response):
            return ""
        found = wire.read(response, CLAIMS, wrote=False).items
        return found[0].dispute_id if found else ""

    def _answered(
        self, payment: Payment, provider_ref: str, dispute_id: str
    ) -> Exchange[ProviderDispute]:
        """The dispute after our answer; where it is as before, PayPal has not understood it."""
        found = yield from self._read(payment, provider_ref, dispute_id, wrote=True)
        if found.state is DisputeState.OPEN:
            raise InDoubt("PayPal's dispute is as before our answer.", code="unconfirmed")
        return found

    def _read(
        self, payment: Payment, provider_ref: str, dispute_id: str, *, wrote: bool
    ) -> Exchange[ProviderDispute]:
        response = yield self._wire.get(_path(dispute_id))
        if wrote and not response.is_success:
            raise InDoubt("PayPal does not say what became of it.", code="unconfirmed")
        answer = Answer(response.content, wire.read(response, CLAIM, wrote=wrote))
        if not answer.object.is_about(provider_ref, payment.payment_id):
            raise mismatch("PayPal")
        return believed(lambda: self._translation.claim_in(answer, provider_ref))


def _path(dispute_id: str) -> str:
    return f"{_DISPUTES}/{segment(dispute_id)}"
