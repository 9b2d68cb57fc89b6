"""What the simulated PAYONE refuses: signatures, shapes, amounts, tokens.

Source: API definition 1.61.0; PCP-server-nodeJS-SDK (``RequestHeaderGenerator``), read 2026-11.
"""

import base64
import hashlib
import hmac
import json
import re
from email.utils import parsedate_to_datetime
from typing import Any, Final, TypeAlias

import httpx

from adapters.payone import simulator_buyers as buyers
from adapters.payone.simulator_errors import Refusal

Json: TypeAlias = dict[str, Any]

_CLOCKS_DIFFER_S: Final = 300
_TOKENS: Final = {"token-accepted": "accepted", "token-declined": "declined"}
_MANDATES: Final = {"MANDATE-ACCEPTED": True, "MANDATE-RETURNED": False}
_REDIRECTS: Final = frozenset({840, 900})
_MOST: Final = 999_999_999_999
_QUERY: Final = frozenset(
    """
    fromChargebackAmount fromDate merchantReference offset paymentId paymentReference size toDate
    """.split()
)
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?Z", re.ASCII)
_NAMES: Final = {
    "cardPaymentMethodSpecificInput": "card",
    "redirectPaymentMethodSpecificInput": "redirect",
    "sepaDirectDebitPaymentMethodSpecificInput": "debit",
    "mobilePaymentMethodSpecificInput": "mobile",
    "financingPaymentMethodSpecificInput": "financing",
}


def admit(request: httpx.Request, key_id: str, secret: str, now: float) -> None:
    """Refuse what is not signed by the key, or was signed long ago."""
    given, date = request.headers.get("authorization", ""), request.headers.get("date", "")
    text = f"{request.method}\n{request.headers.get('content-type', '')}\n{date}\n"
    for name in sorted(set(request.headers) & {"x-gcs-clientmetainfo", "x-gcs-servermetainfo"}):
        text += f"{name}:{request.headers[name].strip()}\n"
    text += request.url.raw_path.decode() + "\n"
    digest = hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest()
    wanted = f"GCS v1HMAC:{key_id}:{base64.b64encode(digest).decode()}"
    if not hmac.compare_digest(given.encode(), wanted.encode()):
        raise Refusal(403, "9007")
    try:
        signed_at = parsedate_to_datetime(date).timestamp()
    except ValueError as error:
        raise Refusal(403, "9007") from error
    if abs(now - signed_at) > _CLOCKS_DIFFER_S:
        raise Refusal(403, "9008")


def read(request: httpx.Request) -> Json:
    """The body, if it is an object in JSON."""
    if not request.headers.get("content-type", "").startswith("application/json"):
        raise Refusal(400, "21000020", "Content-Type")
    try:
        found = json.loads(request.read())
    except ValueError as error:
        raise Refusal(400, "21000020") from error
    if not isinstance(found, dict):
        raise Refusal(400, "21000020")
    return found


def check_case(body: Json) -> str:
    """Refuse what is no case that is paid at once; else by what it is paid."""
    _fields(body, "merchantReference customer creationDateTime checkout")
    _text(body.get("merchantReference", ""), 40)
    checkout = body.get("checkout", {})
    allowed = "amountOfMoney references shipping shoppingCart orderRequest autoExecuteOrder"
    _fields(checkout, allowed)
    check_money(checkout.get("amountOfMoney"))
    _text(checkout.get("references", {}).get("merchantReference", ""), 40)
    order = checkout.get("orderRequest", {})
    if checkout.get("autoExecuteOrder") is not True or order.get("orderType") != "FULL":
        raise Refusal(400, "21000020", "autoExecuteOrder")
    _reference(order.get("orderReferences", {}))
    _text(order["orderReferences"].get("merchantParameters", ""), 1000)
    given = order.get("paymentMethodSpecificInput", {})
    named = [name for name in given if name in _NAMES]
    if len(named) != 1:
        raise Refusal(400, "21000020", "paymentMethodSpecificInput")
    method = _NAMES[named[0]]
    _check_input(method, given[named[0]], checkout["amountOfMoney"]["currencyCode"])
    if method == "mobile":
        buyers.check_wallet(given[named[0]])
    if method == "financing":
        buyers.check_buyer(body, given)
    return method


def _check_input(method: str, given: Json, currency: str) -> None:
    if method == "card" and not given.get("paymentProcessingToken"):
        raise Refusal(400, "21000020", "paymentProcessingToken")
    if method == "redirect":
        if given.get("paymentProductId") not in _REDIRECTS:
            raise Refusal(400, "21000020", "paymentProductId")
        url = given.get("redirectionData", {}).get("returnUrl", "")
        _text(url, 200)
        if "://" not in url:
            raise Refusal(400, "21000020", "returnUrl")
    if method == "debit":
        named = given.get("paymentProduct771SpecificInput", {})
        if named.get("existingUniqueMandateReference") not in _MANDATES or currency != "EUR":
            raise Refusal(400, "21000020", "existingUniqueMandateReference")


def check_money(money: Any) -> None:
    """Refuse what is no amount."""
    if not isinstance(money, dict) or set(money) != {"amount", "currencyCode"}:
        raise Refusal(400, "21000020", "amountOfMoney")
    amount, currency = money["amount"], money["currencyCode"]
    if type(amount) is not int or not 1 <= amount <= _MOST:
        raise Refusal(400, "21000020", "amount")
    if not isinstance(currency, str) or not re.fullmatch("[A-Z]{3}", currency):
        raise Refusal(400, "21000020", "currencyCode")


def check_capture(body: Json) -> None:
    """Refuse what is no capture."""
    _fields(body, "amount isFinal cancellationReason references delivery fundSplit")
    if "amount" in body:
        check_money({"amount": body["amount"], "currencyCode": "EUR"})
    if "references" in body:
        _reference(body["references"])


def check_cancel(body: Json, *, secured: bool) -> None:
    """Refuse what is no cancellation; what is secured is not given up without a reason."""
    _fields(body, "cancellationReason amount fundSplit")
    if secured and not body.get("cancellationReason"):
        raise Refusal(400, "21000020", "cancellationReason")


def check_refund(body: Json) -> None:
    """Refuse what is no refund."""
    _fields(body, "amountOfMoney references return fundSplit")
    if "amountOfMoney" in body:
        check_money(body["amountOfMoney"])
    if "references" in body:
        _reference(body["references"])


def check_query(query: httpx.QueryParams) -> None:
    """Refuse what cannot be searched for."""
    size = query.get("size", "25")
    if set(query) - _QUERY or not size.isdigit() or not 1 <= int(size) <= 100:  # noqa: PLR2004 - documented
        raise Refusal(400, "21000020", "size")
    for name in ("fromDate", "toDate"):
        if not _MOMENT.fullmatch(query.get(name, "2026-01-01T00:00Z")):
            raise Refusal(400, "21000020", name)


def outcome(given: Json) -> str:
    """What happens with this instrument: accepted, declined or unknown."""
    card = given.get("cardPaymentMethodSpecificInput")
    return _TOKENS.get(card["paymentProcessingToken"], "unknown") if card else "accepted"


def pays(given: Json) -> bool:
    """Whether the bank pays a debit."""
    debit = given["sepaDirectDebitPaymentMethodSpecificInput"]
    return _MANDATES[debit["paymentProduct771SpecificInput"]["existingUniqueMandateReference"]]


def _fields(given: Any, allowed: str) -> None:
    if not isinstance(given, dict) or set(given) - set(allowed.split()):
        raise Refusal(400, "21000020")


def _text(value: Any, longest: int) -> None:
    if not isinstance(value, str) or not 0 < len(value) <= longest:
        raise Refusal(400, "21000020")


def _reference(given: Any) -> None:
    if not isinstance(given, dict):
        raise Refusal(400, "21000020", "references")
    _text(given.get("merchantReference", ""), 20)
