"""What Adyen reports: its words, and the items of standard notifications."""

from typing import Final

import msgspec

from gateway.model.dispute import DisputeState

# Source: Adyen/adyen-openapi, Webhooks-v1.json of 2026-07-01.
STANDARD: Final = frozenset(
    """
    ACH_NOTIFICATION_OF_CHANGE AUTHORISATION AUTHORISATION_ADJUSTMENT AUTORESCUE CANCELLATION
    CANCEL_AUTORESCUE CANCEL_OR_REFUND CAPTURE CAPTURE_FAILED CHARGEBACK CHARGEBACK_REVERSED
    DIRECT_DEBIT_NOTICE_OF_CHANGE_NOTIFICATION DISPUTE_DEFENSE_PERIOD_ENDED EXPIRE
    INFORMATION_SUPPLIED ISSUER_COMMENTS ISSUER_RESPONSE_TIMEFRAME_EXPIRED MANUAL_REVIEW_ACCEPT
    MANUAL_REVIEW_REJECT NOTIFICATION_OF_CHARGEBACK NOTIFICATION_OF_FRAUD OFFER_CLOSED ORDER_CLOSED
    ORDER_OPENED PAIDOUT_REVERSED PAYOUT_DECLINE PAYOUT_EXPIRE PAYOUT_THIRDPARTY POSTPONED_REFUND
    PREARBITRATION_ACCEPTED PREARBITRATION_DECLINED PREARBITRATION_ISSUER_WITHDRAWN
    PREARBITRATION_LOST PREARBITRATION_OPEN PREARBITRATION_WON RECURRING_CONTRACT REFUND
    REFUNDED_REVERSED REFUND_FAILED REFUND_WITH_DATA REPORT_AVAILABLE REQUEST_FOR_INFORMATION
    SCHEME_ARBITRATION SCHEME_ARBITRATION_LOST SCHEME_ARBITRATION_WON SECOND_CHARGEBACK
    TECHNICAL_CANCEL VOID_PENDING_REFUND
    """.split()
)
# They can mean money, and nobody here translates them: a person looks.
FOR_A_PERSON: Final = frozenset(
    """
    ORDER_CLOSED PAIDOUT_REVERSED PAYOUT_DECLINE PAYOUT_EXPIRE
    PAYOUT_THIRDPARTY PREARBITRATION_ACCEPTED PREARBITRATION_DECLINED
    PREARBITRATION_ISSUER_WITHDRAWN PREARBITRATION_LOST PREARBITRATION_WON REFUND_WITH_DATA
    SCHEME_ARBITRATION_LOST SCHEME_ARBITRATION_WON VOID_PENDING_REFUND
    """.split()
)
PLATFORM: Final = ("balancePlatform.", "merchant.", "paymentMethod.", "recurring.", "terminal")


_EITHER: Final = {"cancel": "CANCELLATION", "refund": "REFUND"}
_REFUNDS: Final = frozenset({"REFUND", "REFUND_FAILED", "REFUNDED_REVERSED", "POSTPONED_REFUND"})
# What is told of a payment or of its money: the entries of mappings/adyen/*_notice.yaml.
TOLD: Final = frozenset(
    """
    AUTHORISATION AUTHORISATION_ADJUSTMENT CANCELLATION CANCEL_OR_REFUND CAPTURE CAPTURE_FAILED
    CHARGEBACK CHARGEBACK_REVERSED DISPUTE_DEFENSE_PERIOD_ENDED EXPIRE INFORMATION_SUPPLIED
    NOTIFICATION_OF_CHARGEBACK OFFER_CLOSED PREARBITRATION_OPEN REFUND
    REFUNDED_REVERSED REFUND_FAILED SECOND_CHARGEBACK TECHNICAL_CANCEL
    """.split()
)
# How far a claim is, beside its money; what a scheme decides after that is for a person.
# Source: docs.adyen.com/risk-management/disputes-api/dispute-notifications, read 2026-11.
_CLAIMS: Final = {
    "NOTIFICATION_OF_CHARGEBACK.true": DisputeState.OPEN,
    "CHARGEBACK.true": DisputeState.OPEN,
    "INFORMATION_SUPPLIED.true": DisputeState.UNDER_REVIEW,
    "PREARBITRATION_OPEN.true": DisputeState.UNDER_REVIEW,
    "DISPUTE_DEFENSE_PERIOD_ENDED.true": DisputeState.ACCEPTED,
}
# All others have a reference of their own: of an offer, a dispute or a modification.
_OF_PAYMENT: Final = frozenset({"AUTHORISATION", "EXPIRE"})


class Amount(msgspec.Struct, frozen=True):
    """Minor units of a currency."""

    value: int | str = ""
    currency: str = ""


class Signed(msgspec.Struct, frozen=True, rename="camel"):
    """``additionalData``."""

    hmac_signature: str
    action: str = msgspec.field(name="modification.action", default="")
    defense_period_ends_at: str = ""


class Item(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One notification; ``success`` is a text, also on the wire."""

    psp_reference: str = ""
    original_reference: str = ""
    merchant_account_code: str = ""
    merchant_reference: str = ""
    amount: Amount = Amount()
    event_code: str = ""
    event_date: str = ""
    success: str = ""
    additional_data: Signed

    @property
    def word(self) -> str:
        """What is reported and whether it succeeded, such as ``CAPTURE.true``."""
        code = self.event_code
        if code == "CANCEL_OR_REFUND":
            code = _EITHER.get(self.additional_data.action, code)
        return f"{code}.{self.success}"

    @property
    def claim_state(self) -> DisputeState | None:
        """How far a claim is by this word; None where it is about none."""
        return _CLAIMS.get(self.word)

    @property
    def payment_ref(self) -> str:
        """Adyen's reference of the payment; empty where only another thing's is given."""
        alone = self.psp_reference if self.event_code in _OF_PAYMENT else ""
        return self.original_reference or alone

    @property
    def payment_reference(self) -> str:
        """Our reference of the payment; a refund brings its own one back."""
        of_refund = self.event_code in _REFUNDS or self.word.startswith("REFUND.")
        return "" if of_refund else self.merchant_reference

    def signed_text(self) -> str:
        """What is signed: eight fields, and nothing that would tell where one ends."""
        who = (self.psp_reference, self.original_reference, self.merchant_account_code)
        amount = (str(self.amount.value), self.amount.currency)
        return ":".join((*who, self.merchant_reference, *amount, self.event_code, self.success))


class Entry(msgspec.Struct, frozen=True):
    """One entry of the list."""

    item: msgspec.Raw = msgspec.field(name="NotificationRequestItem")


class Standard(msgspec.Struct, frozen=True, rename="camel"):
    """A standard delivery."""

    notification_items: tuple[Entry, ...]


class Data(msgspec.Struct, frozen=True):
    """What a platform event is about."""

    id: str = ""


class PlatformEvent(msgspec.Struct, frozen=True):
    """An event of a platform."""

    type: str
    data: Data = Data()
