"""What Adyen reports: its words, and the items of standard notifications."""

from typing import Final

import msgspec

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
PLATFORM: Final = ("balancePlatform.", "merchant.", "paymentMethod.", "recurring.", "terminal")


class Amount(msgspec.Struct, frozen=True):
    """Minor units of a currency."""

    value: int | str = ""
    currency: str = ""


class Signed(msgspec.Struct, frozen=True, rename="camel"):
    """``additionalData``."""

    hmac_signature: str


class Item(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One notification; ``success`` is a text, also on the wire."""

    psp_reference: str = ""
    original_reference: str = ""
    merchant_account_code: str = ""
    merchant_reference: str = ""
    amount: Amount = Amount()
    event_code: str = ""
    success: str = ""
    additional_data: Signed

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
