"""What the simulated Mollie refuses, and in which words.

Source: Mollie's API reference v2, /docs/multicurrency and the page of each method, read 2026-11.
"""

import json
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, TypeAlias

import httpx

Json: TypeAlias = dict[str, Any]

_CARDS: Final = (
    "AED AUD CAD CHF CZK DKK EUR GBP HKD HUF ILS ISK JPY NOK NZD PLN RON SEK SGD USD ZAR"
)
_PAYPAL: Final = (
    "AUD BRL CAD CHF CZK DKK EUR GBP HKD HUF ILS JPY MXN MYR NOK NZD PHP PLN SEK SGD THB TWD USD"
)
# Method: the currencies that it takes.
_CURRENCIES: Final = {
    name: frozenset(codes.split())
    for name, codes in {
        **dict.fromkeys(("creditcard", "applepay"), _CARDS),
        "paypal": _PAYPAL,
        **dict.fromkeys(
            """
            ideal bancontact kbc belfius eps mybank multibanco bizum satispay giftcard banktransfer
            directdebit mbway riverty in3 alma
            """.split(),
            "EUR",
        ),
        "klarna": "CHF CZK DKK EUR GBP HUF NOK PLN RON SEK",
        "billie": "CHF DKK EUR GBP NOK SEK",
        "trustly": "DKK EUR GBP NOK SEK",
        "paybybank": "EUR GBP",
        "przelewy24": "EUR PLN",
        "blik": "PLN",
        "mobilepay": "DKK EUR",
        "vipps": "NOK",
        "swish": "SEK",
        "twint": "CHF",
        "paysafecard": "CHF EUR GBP NOK PLN RON SEK",
        "bacs": "GBP",
    }.items()
}
_WHOLE: Final = frozenset({"ISK", "JPY"})
_MANDATED: Final = frozenset({"creditcard", "paypal", "directdebit", "bacs"})
_ONLY_MANDATED: Final = frozenset({"directdebit"})
_MANUAL: Final = frozenset({"creditcard", "klarna", "billie", "riverty", "vipps", "mobilepay"})
_ONLY_MANUAL: Final = frozenset({"riverty"})

# Customer: the mandates, each with its method.
CUSTOMERS: Final = {
    "cst_accepted": {
        "mdt_card1": "creditcard",
        "mdt_paypal1": "paypal",
        "mdt_sepa1": "directdebit",
        "mdt_bacs1": "bacs",
    },
    "cst_declined": {"mdt_card2": "creditcard", "mdt_sepa2": "directdebit"},
    "cst_nothing": {},
}
# What becomes of a card; Mollie Components makes such tokens in the payer's browser.
CARDS: Final = {
    "tkn_accepted": "paid",
    "tkn_challenge": "open",
    "tkn_declined": "card_declined",
    "tkn_insufficientFunds": "insufficient_funds",
    "tkn_expired": "card_expired",
    "tkn_fraud": "possible_fraud",
}

# Instruments that were chosen in the shop: whose they are.
_TOKENS: Final = {
    "cardToken": "creditcard",
    "googlePayPaymentToken": "creditcard",
    "applePayPaymentToken": "applepay",
}
_WALLETS: Final = ("googlePayPaymentToken", "applePayPaymentToken")

_PAYMENT: Final = {
    "amount": dict, "description": str, "redirectUrl": str, "cancelUrl": str, "webhookUrl": str,
    "method": str, "metadata": object, "captureMode": str, "captureDelay": str, "locale": str,
    "sequenceType": str, "customerId": str, "mandateId": str, "cardToken": str, "dueDate": str,
    "applePayPaymentToken": str, "googlePayPaymentToken": str, "billingAddress": dict,
    "shippingAddress": dict, "lines": list, "company": dict, "consumerDateOfBirth": str,
    "routing": list,
}  # fmt: skip
FIELDS: Final[dict[str, dict[str, type]]] = {
    "payment": _PAYMENT,
    "capture": {"amount": dict, "description": str, "metadata": object},
    "refund": {
        "amount": dict, "description": str, "metadata": object, "reverseRouting": bool,
        "routingReversals": list,
    },
    "customer": {"name": str, "email": str, "locale": str, "metadata": object},
    "mandate": {
        "method": str, "consumerName": str, "consumerAccount": str, "consumerBic": str,
        "signatureDate": str, "mandateReference": str,
    },
    "nothing": {},
}  # fmt: skip


class Refusal(Exception):  # noqa: N818 - what Mollie does, not what went wrong here
    """An error answer.

    Attributes:
        status: HTTP.
        detail: For people.
        field: Of the body, where one is to blame.
    """

    def __init__(self, status: int, detail: str, field: str = "") -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.field = field


def read(request: httpx.Request, body: bytes, kind: str) -> Json:
    """The body, refused where a field is unknown or of the wrong type."""
    if not body:
        return {}
    media = request.headers.get("content-type", "").partition(";")[0]
    if media != "application/json":
        raise Refusal(415, f"The content type {media} is not supported")
    try:
        given = json.loads(body)
    except ValueError as error:
        raise Refusal(400, "The body is no JSON") from error
    if not isinstance(given, dict):
        raise Refusal(400, "The body is no object")
    for name, value in given.items():
        wanted = FIELDS[kind].get(name)
        if wanted is None:
            raise Refusal(422, f'Non-existent body parameter "{name}" for this API call', name)
        if value is not None and not isinstance(value, wanted):
            raise Refusal(422, f"The {name} is invalid", name)
    if len(json.dumps(given.get("metadata"))) > 1024:  # noqa: PLR2004 - documented: about 1 kB
        raise Refusal(422, "The metadata is too long", "metadata")
    return given


def units(given: Json, *, least: int = 1) -> tuple[int, str]:
    """Amount and currency of a body, the amount in its smallest unit."""
    amount = given.get("amount")
    if not isinstance(amount, dict):
        raise Refusal(422, "The 'amount' field is missing", "amount")
    currency, value = amount.get("currency"), amount.get("value")
    if not any(currency in codes for codes in _CURRENCIES.values()):
        raise Refusal(422, "The amount contains an invalid currency", "amount.currency")
    form = r"\d{1,12}" if currency in _WHOLE else r"\d{1,12}\.\d{2}"
    if not isinstance(value, str) or not re.fullmatch(form, value, re.ASCII):
        raise Refusal(422, "The amount contains an invalid value", "amount.value")
    minor = int(value.replace(".", ""))
    if minor < least:
        raise Refusal(422, "The amount is lower than the minimum", "amount")
    return minor, str(currency)


def amount_of(minor: int, currency: str) -> Json:
    """An amount as Mollie writes it."""
    if currency in _WHOLE:
        return {"value": str(minor), "currency": currency}
    return {"value": f"{minor // 100}.{minor % 100:02}", "currency": currency}


def check_payment(
    given: Json, customers: Mapping[str, Mapping[str, str]] = MappingProxyType(CUSTOMERS)
) -> None:
    """Refuse what no payment can be."""
    _, currency = units(given)
    if not given.get("description"):
        raise Refusal(422, "The 'description' field is missing", "description")
    method = _method_of(given, currency)
    if given.get("sequenceType", "oneoff") == "recurring":
        _check_mandate(given, method, customers)
        return
    if method in _ONLY_MANDATED:
        raise Refusal(422, "The method is for recurring payments only", "method")
    if not given.get("redirectUrl") and "applePayPaymentToken" not in given:
        raise Refusal(422, "The 'redirectUrl' field is missing", "redirectUrl")


def _method_of(given: Json, currency: str) -> str:
    method = given.get("method")
    if method not in _CURRENCIES:
        raise Refusal(422, "The payment method is invalid", "method")
    if currency not in _CURRENCIES[method]:
        raise Refusal(422, f"The currency {currency} is not supported by {method}", "amount")
    manual = given.get("captureMode") == "manual"
    if (manual and method not in _MANUAL) or (method in _ONLY_MANUAL and not manual):
        raise Refusal(422, f"The capture mode is not supported by {method}", "captureMode")
    for name, owner in _TOKENS.items():
        if name in given and method != owner:
            raise Refusal(422, f"The {name} needs the method {owner}", name)
    for name in _WALLETS:
        if name in given and not given[name].startswith("{"):
            raise Refusal(422, f"The {name} is invalid", name)
    if given.get("cardToken", "tkn_accepted") not in CARDS:
        raise Refusal(422, "The card token does not exist", "cardToken")
    return str(method)


def _check_mandate(given: Json, method: str, customers: Mapping[str, Mapping[str, str]]) -> None:
    customer, mandate = given.get("customerId"), given.get("mandateId")
    if not customer:
        raise Refusal(422, "The 'customerId' field is missing", "customerId")
    if customer not in customers:
        raise Refusal(422, "The customer id is invalid", "customerId")
    if method not in _MANDATED:
        raise Refusal(422, f"{method} cannot be charged without the customer", "method")
    known = customers[customer]
    if mandate is not None and known.get(mandate) != method:
        raise Refusal(422, "The mandate id is invalid", "mandateId")
    if method not in known.values():
        raise Refusal(422, "No suitable mandates found for customer", "customerId")


def page_of(newest_first: list[Json], query: httpx.QueryParams, name: str, url: str) -> Json:
    """One page of a list; ``from`` is the first that stands on it."""
    if unknown := set(query) - {"from", "limit", "sort"}:
        raise Refusal(400, f"Non-existent query parameter {min(unknown)}")
    limit = query.get("limit", "50")
    if not limit.isdigit() or not 1 <= int(limit) <= 250:  # noqa: PLR2004 - documented range
        raise Refusal(400, "The limit is invalid")
    things = newest_first if query.get("sort", "desc") == "desc" else newest_first[::-1]
    if "from" in query:
        ids = [one["id"] for one in things]
        if query["from"] not in ids:
            raise Refusal(400, "Invalid cursor value")
        things = things[ids.index(query["from"]) :]
    shown, rest = things[: int(limit)], things[int(limit) :]
    following = f"{url}?from={rest[0]['id']}&limit={limit}" if rest else None
    return {
        "count": len(shown),
        "_embedded": {name: shown},
        "_links": {
            "self": link(f"{url}?limit={limit}"),
            "previous": None,
            "next": link(following) if following else None,
            "documentation": link("https://docs.mollie.com/reference", "text/html"),
        },
    }


def link(href: str, kind: str = "application/hal+json") -> Json:
    """A link of HAL."""
    return {"href": href, "type": kind}
