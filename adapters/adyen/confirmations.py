"""Confirmations: what a payer brings back from a page or a component, for /payments/details.

Source: docs.adyen.com/online-payments/build-your-integration (handle the redirect), Checkout v71,
PaymentDetailsRequest, read 2026-11.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from adapters.adyen.answers import PAID, reference_of
from adapters.adyen.checkout import Checkout, is_of
from gateway.errors import Rejected
from gateway.kit.adapter import Body
from gateway.kit.answers import believed, mismatch
from gateway.model.payment import Payment, ProviderPayment
from gateway.ports.exchange import Exchange

# Stands beside the details, not among them.
_DATA: Final = "paymentData"
# Source: Checkout v71, PaymentCompletionDetails.
_NAMES: Final = frozenset(
    """
    MD PaReq PaRes authorization_token billingToken cupsecureplus.smscode facilitatorAccessToken
    oneTimePasscode orderID payerID payload paymentID paymentStatus redirectResult resultCode
    returnUrlQueryString threeDSResult threeds2.challengeResult threeds2.fingerprint vaultToken
    """.split()
)


class AdyenConfirmations(Checkout):
    """The payers of one merchant account who came back."""

    def confirm_payment(
        self, payment: Payment, details: Mapping[str, str], *, key: str
    ) -> Exchange[ProviderPayment]:
        """Hand over what the payer brought back: a card is charged only now.

        Raises:
            Rejected: Names that Adyen does not know, or what another payer brought back.
        """
        answer = yield from self._write("/payments/details", _body(details), PAID, key=key)
        made = answer.object
        if made.merchant_reference not in {"", reference_of(payment)}:
            raise Rejected("details: they are of another payment.", code="details_foreign")
        if payment.provider_ref not in {"", made.psp_reference} or not is_of(made, payment):
            raise mismatch("Adyen")
        return believed(lambda: self._translation.payment_in(answer, payment))


def _body(details: Mapping[str, str]) -> Body:
    """The details by their own names; there is nothing to translate."""
    known = {name: value for name, value in details.items() if name in _NAMES}
    if not known or details.keys() - known.keys() - {_DATA}:
        message = "details: Adyen knows other names; send what its page or component gave."
        raise Rejected(message, code="details_unknown")
    body: dict[str, object] = {"details": known}
    if _DATA in details:
        body[_DATA] = details[_DATA]
    return Body(msgspec.json.encode(body))
