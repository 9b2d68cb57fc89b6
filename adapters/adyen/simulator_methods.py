"""What the simulated Adyen demands of a payment method, and what it then asks of the payer.

Source: Checkout v71 of 2026-07-01, paymentMethod; docs.adyen.com/payment-methods, a page for each,
read 2026-11.
"""

from typing import Any, Final, TypeAlias

import msgspec

Json: TypeAlias = dict[str, Any]

_PERSON: Final = "shopperName shopperEmail"
_INVOICE: Final = f"{_PERSON} telephoneNumber dateOfBirth billingAddress lineItems countryCode"


class _Method(msgspec.Struct, frozen=True):
    """One type of payment method.

    Attributes:
        asked: What the payer is asked for; empty for nothing.
        currencies: Parted by spaces; empty for all.
        fields: Of ``paymentMethod`` that must be there, parted by spaces.
        separate: Whether it can be captured later.
        needed: Other fields that must be there, parted by spaces.
    """

    asked: str = ""
    currencies: str = ""
    fields: str = ""
    separate: bool = False
    needed: str = ""


_TYPES: Final = {
    "scheme": _Method(fields="storedPaymentMethodId", separate=True),
    "networkToken": _Method(fields="storedPaymentMethodId", separate=True),
    "clicktopay": _Method(fields="srcScheme srcCorrelationId", separate=True),
    "applepay": _Method(fields="applePayToken", separate=True),
    "googlepay": _Method(fields="googlePayToken", separate=True),
    "samsungpay": _Method(fields="samsungPayToken", separate=True),
    "amazonpay": _Method(fields="amazonPayToken", separate=True),
    "giftcard": _Method(fields="brand encryptedCardNumber encryptedSecurityCode"),
    "paypal": _Method("redirect", separate=True),
    "alipay": _Method("redirect", "AUD CAD CHF CNY DKK EUR GBP HKD JPY NOK NZD SEK SGD USD"),
    "wechatpayQR": _Method("qrCode", "AUD CAD CHF CNY EUR GBP HKD JPY NZD SGD USD"),
    "mobilepay": _Method("redirect", "DKK EUR", separate=True),
    "vipps": _Method("redirect", "NOK", "telephoneNumber", separate=True),
    "swish": _Method("qrCode", "SEK"),
    "twint": _Method("redirect", "CHF", separate=True),
    "bizum": _Method("redirect", "EUR"),
    "mbway": _Method("await", "EUR", "telephoneNumber shopperEmail"),
    "wero": _Method("redirect", "EUR"),
    "ideal": _Method("redirect", "EUR"),
    "bcmc_mobile": _Method("redirect", "EUR"),
    "eps": _Method("redirect", "EUR", "issuer"),
    "onlineBanking_PL": _Method("redirect", "EUR PLN", "issuer"),
    "blik": _Method("await", "PLN", "blikCode"),
    "trustly": _Method("redirect", "DKK EUR GBP NOK PLN SEK"),
    "paybybank": _Method("redirect", "DKK EUR GBP NOK PLN SEK"),
    "multibanco": _Method("voucher", "EUR"),
    "paysafecard": _Method("redirect", "CHF EUR GBP NOK PLN RON SEK USD"),
    "bankTransfer_IBAN": _Method("bankTransfer", "EUR", needed=_PERSON),
    "directdebit_GB": _Method(currencies="GBP", fields="storedPaymentMethodId"),
    "klarna": _Method(
        "redirect",
        "CHF CZK DKK EUR GBP NOK PLN RON SEK USD",
        separate=True,
        needed=f"{_PERSON} billingAddress lineItems countryCode",
    ),
    "riverty": _Method("redirect", "CHF EUR", separate=True, needed=f"{_INVOICE} deliveryAddress"),
    "alma": _Method("redirect", "EUR", needed=f"{_PERSON} billingAddress lineItems countryCode"),
    "ratepay": _Method(
        "", "CHF EUR", separate=True, needed=f"{_INVOICE} deliveryAddress deviceFingerprint"
    ),
    "ratepay_directdebit": _Method(
        "", "EUR", "storedPaymentMethodId", separate=True, needed=f"{_INVOICE} deliveryAddress"
    ),
}


class Refusal(Exception):  # noqa: N818 - an answer, not a failure of the simulator
    """An answer with an error; nothing was executed.

    Attributes:
        transient: Whether the same request may succeed later.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        kind: str = "validation",
        *,
        transient: bool = False,
    ) -> None:
        super().__init__(status)
        self.status = status
        self.body = {"status": status, "errorCode": code, "message": message, "errorType": kind}
        self.transient = transient


def check(body: Json, *, manual: bool) -> str:
    """Refuse what the method cannot do or lacks; else what the payer is asked for.

    Args:
        manual: Whether the payment waits for its capture.
    """
    method = body["paymentMethod"]
    if method.get("type") not in _TYPES:
        raise Refusal(422, "14_006", "Unsupported payment method type.")
    row, currency = _TYPES[method["type"]], body["amount"]["currency"]
    if row.currencies and currency not in row.currencies.split():
        message = f"Could not find an acquirer account for {method['type']} in {currency}."
        raise Refusal(500, "905_1", message, "configuration")
    for field in row.fields.split():
        if not method.get(field):
            raise Refusal(422, "101", f"Invalid payment method data: {field}.")
    if not row.separate and manual:
        raise Refusal(422, "14_0411", "This payment method does not support separate captures.")
    for field in row.needed.split():
        if not body.get(field):
            raise Refusal(422, "130", f"Required field '{field}' is not provided.")
    _check_lines(body)
    # A device that was looked at before needs no page.
    return "" if method.get("deviceFingerprint") else row.asked


def _check_lines(body: Json) -> None:
    lines = body.get("lineItems")
    if lines is None:
        return
    if not all(one.get("description") and one.get("quantity", 0) > 0 for one in lines):
        raise Refusal(422, "702", "A line item needs a description and a quantity.")
    total = sum(one["quantity"] * one["amountIncludingTax"] for one in lines)
    if total != body["amount"]["value"]:
        raise Refusal(422, "702", "The sum of the line items is not the amount.")
