"""How the simulated Adyen reads a request: every field known, of its type, and possible.

Source: Adyen/adyen-openapi, Checkout v71 of 2026-07-01; docs.adyen.com/development-resources/
error-codes, /currency-codes and /payment-methods, read 2026-11.
"""

import json
from typing import Any, Final, TypeAlias

Json: TypeAlias = dict[str, Any]

_AMOUNT: Final = {"value": int, "currency": str}
# Only what can come from us; Adyen has more, and refuses what it does not know in the same words.
PAYMENT: Final = {
    "merchantAccount": str,
    "amount": _AMOUNT,
    "reference": str,
    "merchantOrderReference": str,
    "returnUrl": str,
    "countryCode": str,
    "paymentMethod": dict.fromkeys(
        """
        type storedPaymentMethodId applePayToken googlePayToken samsungPayToken amazonPayToken
        blikCode subtype
        """.split(),
        str,
    ),
    "shopperReference": str,
    "shopperInteraction": str,
    "recurringProcessingModel": str,
    "captureDelayHours": int,
    "additionalData": {"manualCapture": str},
}
CAPTURE: Final = {"merchantAccount": str, "amount": _AMOUNT, "reference": str}
REFUND: Final = {**CAPTURE, "merchantRefundReason": str}
CANCEL: Final = {"merchantAccount": str, "reference": str}
ABANDON: Final = {**CANCEL, "paymentReference": str}
METHODS: Final = {"merchantAccount": str, "amount": _AMOUNT, "countryCode": str}

_CURRENCIES: Final = frozenset(
    """
    AED ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BMD BND BOB BRL BSD BWP BYN BZD CAD CHF CLP CNH
    CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD
    HNL HTG HUF IDR ILS INR IQD ISK JMD JOD JPY KES KGS KHR KMF KRW KWD KYD KZT LAK LKR LYD MAD MDL
    MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN
    PYG QAR RON RSD RUB RWF SAR SBD SCR SEK SGD SHP SLE SOS SRD STN SVC SZL THB TND TOP TRY TTD TWD
    TZS UAH UGX USD UYU UZS VEF VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW
    """.split()
)
# Type: what the payer is asked for, the currencies (none for all), the field with a token, and
# whether it can be captured later.
_TYPES: Final[dict[str, tuple[str, str, str, bool]]] = {
    "scheme": ("", "", "storedPaymentMethodId", True),
    "applepay": ("", "", "applePayToken", True),
    "googlepay": ("", "", "googlePayToken", True),
    "samsungpay": ("", "", "samsungPayToken", True),
    "amazonpay": ("", "", "amazonPayToken", True),
    "paypal": ("redirect", "", "", True),
    "alipay": (
        "redirect",
        "AUD CAD CHF CNY DKK EUR GBP HKD JPY NOK NZD SEK SGD USD",
        "",
        False,
    ),
    "wechatpayQR": ("qrCode", "AUD CAD CHF CNY EUR GBP HKD JPY NZD SGD USD", "", False),
    "mobilepay": ("redirect", "DKK EUR", "", True),
    "swish": ("qrCode", "SEK", "", False),
    "twint": ("redirect", "CHF", "", True),
    "bizum": ("redirect", "EUR", "", False),
    "wero": ("redirect", "EUR", "", False),
    "ideal": ("redirect", "EUR", "", False),
    "bcmc_mobile": ("redirect", "EUR", "", False),
    "blik": ("await", "PLN", "blikCode", False),
    "multibanco": ("voucher", "EUR", "", False),
    "directdebit_GB": ("", "GBP", "storedPaymentMethodId", False),
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


def read(content: bytes, media: str, allowed: dict[str, Any]) -> Json:
    """The body, refused where a field is unknown or of the wrong type."""
    if media.partition(";")[0].strip() != "application/json":
        raise Refusal(415, "000", "Unsupported media type.", "internal")
    try:
        body = json.loads(content)
    except ValueError:
        raise Refusal(400, "702", "Unexpected input") from None
    _compare(body, allowed, "the request")
    found: Json = body
    return found


def _compare(value: Any, allowed: Any, name: str) -> None:
    if not isinstance(allowed, dict):
        if not isinstance(value, allowed) or isinstance(value, bool):
            raise Refusal(400, "702", f"Unexpected input for {name}, expected: {allowed.__name__}")
        return
    if not isinstance(value, dict):
        raise Refusal(400, "702", f"Unexpected input for {name}, expected: object")
    unknown = [field for field in value if field not in allowed]
    if unknown:
        message = f"Structure of {name} contains the following unknown fields: {unknown}"
        raise Refusal(400, "702", message)
    for field, inner in value.items():
        _compare(inner, allowed[field], field)


def check_amount(body: Json) -> None:
    """Refuse what no amount can be."""
    amount = body.get("amount")
    if not amount or "value" not in amount:
        raise Refusal(422, "100", "No amount specified")
    if amount.get("currency") not in _CURRENCIES:
        raise Refusal(422, "138", "Unsupported currency specified")
    if amount["value"] < 1:
        raise Refusal(422, "137", "Invalid amount specified")


def check_payment(body: Json) -> str:
    """Refuse what no payment can be; else what the payer is asked for, empty for nothing."""
    check_amount(body)
    for field, code in (("reference", "130"), ("paymentMethod", "158"), ("returnUrl", "14_030")):
        if not body.get(field):
            raise Refusal(422, code, f"Required field '{field}' is not provided.")
    check_reference(body)
    method = body["paymentMethod"]
    if method.get("type") not in _TYPES:
        raise Refusal(422, "14_006", "Unsupported payment method type.")
    asked, currencies, field, separate = _TYPES[method["type"]]
    currency = body["amount"]["currency"]
    if currencies and currency not in currencies.split():
        message = f"Could not find an acquirer account for {method['type']} in {currency}."
        raise Refusal(500, "905_1", message, "configuration")
    if field and not method.get(field):
        raise Refusal(422, "101", f"Invalid payment method data: {field}.")
    if not separate and is_manual(body):
        raise Refusal(422, "14_0411", "This payment method does not support separate captures.")
    return asked


def check_reference(body: Json) -> None:
    """Refuse a reference of ours that is too long."""
    if len(body.get("reference", "")) > 80:  # noqa: PLR2004 - documented length
        raise Refusal(422, "174", "Field 'reference' is too long.")


def is_manual(body: Json) -> bool:
    """Whether the payment waits for its capture."""
    return bool(body.get("additionalData", {}).get("manualCapture") == "true")
