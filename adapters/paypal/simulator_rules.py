"""What the simulated PayPal refuses, and in which words.

Source: paypal-rest-api-specifications of 2024-02 (issues of checkout_orders_v2 and
payments_payment_v2) and developer.paypal.com/api/rest/reference/currency-codes, read 2026-11.
"""

import base64
import json
import re
from collections.abc import Callable
from typing import Any, Final, NoReturn, TypeAlias

import httpx

Json: TypeAlias = dict[str, Any]

WHOLE: Final = frozenset({"HUF", "JPY", "TWD"})
_CURRENCIES: Final = frozenset(
    """
    AUD BRL CAD CHF CNY CZK DKK EUR GBP HKD HUF ILS JPY MXN MYR NOK NZD PHP PLN SEK SGD THB TWD USD
    """.split()
)
_NAMES: Final = {
    400: "INVALID_REQUEST",
    401: "AUTHENTICATION_FAILURE",
    403: "NOT_AUTHORIZED",
    404: "RESOURCE_NOT_FOUND",
    409: "RESOURCE_CONFLICT",
    415: "UNSUPPORTED_MEDIA_TYPE",
    422: "UNPROCESSABLE_ENTITY",
    429: "RATE_LIMIT_REACHED",
    503: "SERVICE_UNAVAILABLE",
}
# The words that the specification gives to each error.
_MESSAGES: Final = {
    400: "Request is not well-formed, syntactically incorrect, or violates schema.",
    401: "Authentication failed due to missing authorization header, or invalid authentication "
    "credentials.",
    403: "Authorization failed due to insufficient permissions.",
    404: "The specified resource does not exist.",
    409: "The server has detected a conflict while processing this request.",
    422: "The requested action could not be performed, semantically incorrect, or failed business "
    "validation.",
    500: "An internal server error occurred.",
    503: "Service Unavailable.",
}

# What the vault holds: what becomes of a payment by it.
VAULT: Final = {
    "card": {
        "vault-card-accepted": "COMPLETED",
        "vault-card-declined": "5120",
        "vault-card-expired": "CARD_EXPIRED",
        "vault-card-challenge": "PAYER_ACTION_REQUIRED",
    },
    "paypal": {
        "vault-paypal-accepted": "COMPLETED",
        "vault-paypal-pending": "PENDING",
        "vault-paypal-declined": "INSTRUMENT_DECLINED",
    },
    "apple_pay": {"vault-apple-accepted": "COMPLETED", "vault-apple-declined": "5120"},
}
_CONTEXTS: Final = {
    "paypal": {
        "return_url", "cancel_url", "user_action", "shipping_preference", "landing_page",
        "payment_method_preference", "brand_name", "locale",
    },
    "card": {"return_url", "cancel_url"},
}  # fmt: skip
_SOURCES: Final = {
    "paypal": {"vault_id", "experience_context"},
    "card": {"vault_id", "experience_context", "stored_credential"},
    "apple_pay": {"vault_id", "stored_credential"},
}
# Methods of banks: countries and currencies.
_BANKS: Final = {
    "bancontact": ("BE", "EUR"),
    "blik": ("PL", "PLN"),
    "eps": ("AT", "EUR"),
    "ideal": ("NL", "EUR"),
    "mybank": ("IT", "EUR"),
    "p24": ("PL", "PLN EUR"),
    "trustly": ("AT DE DK EE ES FI GB LT LV NL NO SE", "EUR DKK GBP NOK SEK"),
}
_BANK: Final = {"name", "country_code", "experience_context"}
_ORDER: Final = {"intent", "purchase_units", "payment_source"}
_UNIT: Final = {
    "reference_id", "custom_id", "invoice_id", "description", "amount", "payee",
    "payment_instruction",
}  # fmt: skip
_ACCOUNT: Final = re.compile(r"[2-9A-HJ-NP-Z]{13}")


class Refusal(Exception):  # noqa: N818 - what PayPal does, not what went wrong here
    """An error answer.

    Attributes:
        status: HTTP.
        issue: PayPal's code.
        field: Pointer into the body, where something is to blame.
    """

    def __init__(self, status: int, issue: str, field: str = "") -> None:
        super().__init__(issue)
        self.status = status
        self.issue = issue
        self.field = field


def error(status: int, issue: str = "", field: str = "") -> Json:
    """An error as PayPal writes it."""
    found: Json = {
        "name": _NAMES.get(status, "INTERNAL_SERVER_ERROR"),
        "message": _MESSAGES.get(status, _MESSAGES[500]),
        "debug_id": "90957fca61718",
        "links": [],
    }
    if issue:
        place = {"field": field, "location": "body"} if field else {}
        found["details"] = [{"issue": issue, **place}]
    return found


def read(request: httpx.Request, body: bytes) -> Json:
    """The body as an object; nothing is an empty one."""
    media = request.headers.get("content-type", "").partition(";")[0]
    if media != "application/json":
        raise Refusal(415, "INVALID_CONTENT_TYPE")
    try:
        given = json.loads(body or b"{}")
    except ValueError as wrong:
        raise Refusal(400, "MALFORMED_REQUEST_JSON") from wrong
    if not isinstance(given, dict):
        _refuse("MALFORMED_REQUEST_JSON", "/")
    return given


def units(given: Any, field: str) -> tuple[int, str]:
    """An amount in the smallest unit that PayPal counts in, and its currency."""
    if not isinstance(given, dict):
        _refuse("MISSING_REQUIRED_PARAMETER", field)
    currency, value = given.get("currency_code"), given.get("value")
    if currency not in _CURRENCIES:
        raise Refusal(422, "INVALID_CURRENCY_CODE", f"{field}/currency_code")
    if not isinstance(value, str) or not re.fullmatch(r"\d{1,15}(\.\d{1,2})?", value, re.ASCII):
        _refuse("INVALID_PARAMETER_SYNTAX", f"{field}/value")
    whole, _, part = value.partition(".")
    if currency in WHOLE:
        if part:
            raise Refusal(422, "DECIMAL_PRECISION", f"{field}/value")
        minor = int(whole)
    else:
        minor = int(whole + part.ljust(2, "0"))
    if minor <= 0:
        raise Refusal(422, "CANNOT_BE_ZERO_OR_NEGATIVE", f"{field}/value")
    return minor, str(currency)


def amount_of(minor: int, currency: str) -> Json:
    """An amount as PayPal writes it."""
    value = str(minor) if currency in WHOLE else f"{minor // 100}.{minor % 100:02}"
    return {"currency_code": currency, "value": value}


def check_order(given: Json, vault: Callable[[str, str], str | None]) -> tuple[Json, str, str]:
    """The purchase unit, the payment source and what becomes of it; refused where it is none."""
    _only_known(given, _ORDER, "")
    if given.get("intent") not in {"CAPTURE", "AUTHORIZE"}:
        _refuse("INVALID_PARAMETER_VALUE", "/intent")
    units_given = given.get("purchase_units")
    if not isinstance(units_given, list) or len(units_given) != 1:
        _refuse("INVALID_ARRAY_MIN_ITEMS", "/purchase_units")
    unit = units_given[0]
    _check_unit(unit)
    if "payment_source" not in given:
        return unit, "", "PAYER_ACTION_REQUIRED"
    sources = given["payment_source"]
    if len(sources) != 1 or not set(sources) <= set(_SOURCES):
        raise Refusal(422, "ONE_OF_PARAMETERS_REQUIRED", "/payment_source")
    ((name, source),) = sources.items()
    _only_known(source, _SOURCES[name], f"/payment_source/{name}")
    context = source.get("experience_context", {})
    _only_known(context, _CONTEXTS.get(name, set()), f"/payment_source/{name}/experience_context")
    if "vault_id" in source:
        outcome = vault(name, source["vault_id"])
        if outcome is None:
            raise Refusal(
                422, "MISMATCHED_VAULT_ID_TO_PAYMENT_SOURCE", f"/payment_source/{name}/vault_id"
            )
        return unit, name, outcome
    if name in {"apple_pay", "card"}:
        raise Refusal(422, "ONE_OF_PARAMETERS_REQUIRED", f"/payment_source/{name}")
    if not context.get("return_url") or not context.get("cancel_url"):
        _refuse("MISSING_REQUIRED_PARAMETER", "/payment_source/paypal/experience_context")
    return unit, name, "PAYER_ACTION_REQUIRED"


def _check_unit(unit: Json) -> None:
    _only_known(unit, _UNIT, "/purchase_units/0")
    for name in ("custom_id", "invoice_id", "description"):
        if not 1 <= len(unit.get(name, "x")) <= 127:  # noqa: PLR2004 - documented
            _refuse("INVALID_STRING_LENGTH", f"/purchase_units/0/{name}")
    minor, currency = units(unit.get("amount"), "/purchase_units/0/amount")
    account = unit.get("payee", {}).get("merchant_id", "")
    if "payee" in unit and not _ACCOUNT.fullmatch(account):
        raise Refusal(422, "PAYEE_ACCOUNT_INVALID", "/purchase_units/0/payee/merchant_id")
    if "payment_instruction" in unit and "payee" not in unit:
        raise Refusal(422, "PLATFORM_FEES_NOT_SUPPORTED", "/purchase_units/0/payment_instruction")
    fee(unit.get("payment_instruction"), minor, currency, "/purchase_units/0")


def check_source(given: Json, intent: str, currency: str) -> tuple[str, Json]:
    """The method of a bank by which an order is paid, and what it says."""
    _only_known(given, {"payment_source", "processing_instruction"}, "")
    sources = given.get("payment_source", {})
    if len(sources) != 1 or not set(sources) <= set(_BANKS):
        raise Refusal(422, "PAYMENT_SOURCE_NOT_SUPPORTED", "/payment_source")
    ((name, source),) = sources.items()
    at = f"/payment_source/{name}"
    _only_known(source, _BANK | ({"email"} if name in {"blik", "p24"} else set()), at)
    for field in ("name", "country_code", *(("email",) if name == "p24" else ())):
        if len(source.get(field, "")) < (3 if field == "name" else 2):
            raise Refusal(422, "REQUIRED_PARAMETER_FOR_PAYMENT_SOURCE", f"{at}/{field}")
    context = source.get("experience_context", {})
    _only_known(context, _CONTEXTS["card"], f"{at}/experience_context")
    if not context.get("return_url") or not context.get("cancel_url"):
        raise Refusal(422, "REQUIRED_PARAMETER_FOR_PAYMENT_SOURCE", f"{at}/experience_context")
    countries, currencies = _BANKS[name]
    if source["country_code"] not in countries.split():
        raise Refusal(422, "COUNTRY_NOT_SUPPORTED_BY_PAYMENT_SOURCE", f"{at}/country_code")
    if currency not in currencies.split():
        raise Refusal(422, "CURRENCY_NOT_SUPPORTED_BY_PAYMENT_SOURCE")
    if intent != "CAPTURE":
        raise Refusal(422, "UNSUPPORTED_INTENT_FOR_PAYMENT_SOURCE", "/intent")
    if given.get("processing_instruction") != "ORDER_COMPLETE_ON_PAYMENT_APPROVAL":
        raise Refusal(422, "ORDER_COMPLETE_ON_PAYMENT_APPROVAL", "/processing_instruction")
    return name, source


def fee(given: Any, minor: int, currency: str, field: str) -> int:
    """What the platform keeps of an amount, in the smallest unit; 0 where nothing is said."""
    if given is None:
        return 0
    _only_known(given, {"platform_fees", "disbursement_mode"}, f"{field}/payment_instruction")
    at = f"{field}/payment_instruction/platform_fees"
    fees = given.get("platform_fees", [])
    if len(fees) > 1:
        _refuse("INVALID_ARRAY_MAX_ITEMS", at)
    if not fees:
        return 0
    _only_known(fees[0], {"amount"}, f"{at}/0")
    found, theirs = units(fees[0].get("amount"), f"{at}/0/amount")
    if found > minor or theirs != currency:
        raise Refusal(422, "INVALID_PLATFORM_FEES_AMOUNT", f"{at}/0/amount")
    return found


def check_assertion(request: httpx.Request, member: str) -> None:
    """Refuse what is done with a member's money in nobody's name."""
    if not member:
        return
    claims = request.headers.get("paypal-auth-assertion", "").split(".")
    if len(claims) != 3 or claims[2]:  # noqa: PLR2004 - parts of a JSON Web Token
        raise Refusal(403, "PERMISSION_DENIED")
    padded = claims[1] + "=" * (-len(claims[1]) % 4)
    if json.loads(base64.urlsafe_b64decode(padded)).get("payer_id") != member:
        raise Refusal(403, "PERMISSION_DENIED")


def _only_known(given: Any, known: set[str], field: str) -> None:
    if not isinstance(given, dict):
        _refuse("INVALID_PARAMETER_SYNTAX", field or "/")
    if unknown := set(given) - known:
        _refuse("NOT_SUPPORTED", f"{field}/{min(unknown)}")


def _refuse(issue: str, field: str) -> NoReturn:
    raise Refusal(400, issue, field)
