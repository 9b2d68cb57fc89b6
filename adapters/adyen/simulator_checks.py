"""How the simulated Adyen reads a request: every field known, of its type, and possible.

Source: Adyen/adyen-openapi, Checkout v71 of 2026-07-01; docs.adyen.com/development-resources/
error-codes, /currency-codes and /payment-methods, read 2026-11.
"""

import json
from typing import Any, Final, TypeAlias

from adapters.adyen import simulator_methods as methods
from adapters.adyen.simulator_methods import Refusal

Json: TypeAlias = dict[str, Any]

_AMOUNT: Final = {"value": int, "currency": str}
_ADDRESS: Final = dict.fromkeys(
    ("street", "houseNumberOrName", "postalCode", "city", "country"), str
)
_SPLITS: Final = [{"type": str, "account": str, "amount": _AMOUNT, "reference": str}]
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
        blikCode subtype issuer brand encryptedCardNumber encryptedSecurityCode srcScheme
        srcCorrelationId srcTokenReference srcDigitalCardId deviceFingerprint telephoneNumber
        shopperEmail
        """.split(),
        str,
    ),
    "shopperReference": str,
    "shopperInteraction": str,
    "recurringProcessingModel": str,
    "captureDelayHours": int,
    "additionalData": {"manualCapture": str, "authorisationType": str},
    "shopperName": {"firstName": str, "lastName": str},
    "shopperEmail": str,
    "telephoneNumber": str,
    "dateOfBirth": str,
    "billingAddress": _ADDRESS,
    "deliveryAddress": _ADDRESS,
    "company": {"name": str},
    "deviceFingerprint": str,
    "lineItems": [{"id": str, "description": str, "quantity": int, "amountIncludingTax": int}],
    "splits": _SPLITS,
}
CAPTURE: Final = {
    "merchantAccount": str,
    "amount": _AMOUNT,
    "reference": str,
    "splits": _SPLITS,
}
REFUND: Final = {**CAPTURE, "merchantRefundReason": str}
UPDATE: Final = {**CAPTURE, "industryUsage": str}
CANCEL: Final = {"merchantAccount": str, "reference": str}
ABANDON: Final = {**CANCEL, "paymentReference": str}
DETAILS: Final = {
    "details": dict.fromkeys(
        """
        MD PaRes payload redirectResult resultCode returnUrlQueryString threeDSResult
        threeds2.challengeResult threeds2.fingerprint
        """.split(),
        str,
    ),
    "paymentData": str,
}
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
    if isinstance(allowed, list):
        if not isinstance(value, list):
            raise Refusal(400, "702", f"Unexpected input for {name}, expected: array")
        for each in value:
            _compare(each, allowed[0], name)
        return
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
    check_splits(body)
    return methods.check(body, manual=is_manual(body))


def check_splits(body: Json) -> None:
    """Refuse parts that are not the amount, or that nobody could book."""
    splits = body.get("splits")
    if splits is None:
        return
    total = sum(one.get("amount", {}).get("value", 0) for one in splits)
    currencies = {one.get("amount", {}).get("currency") for one in splits}
    if total != body["amount"]["value"] or currencies != {body["amount"]["currency"]}:
        raise Refusal(422, "702", "The sum of the splits is not the amount.")
    for one in splits:
        booked = one["type"] in {"Commission", "VAT"} or one.get("account", "").startswith("BA")
        if not booked or not one.get("reference"):
            raise Refusal(422, "702", "A split needs an account and a reference.")
    if len({one["reference"] for one in splits}) < len(splits):
        raise Refusal(422, "702", "The references of splits have to be unique.")


def check_reference(body: Json) -> None:
    """Refuse a reference of ours that is too long."""
    if len(body.get("reference", "")) > 80:  # noqa: PLR2004 - documented length
        raise Refusal(422, "174", "Field 'reference' is too long.")


def is_manual(body: Json) -> bool:
    """Whether the payment waits for its capture."""
    return bool(body.get("additionalData", {}).get("manualCapture") == "true")


def is_estimated(body: Json) -> bool:
    """Whether the amount was said to be an estimate, which may be adjusted."""
    return bool(body.get("additionalData", {}).get("authorisationType") == "PreAuth")
