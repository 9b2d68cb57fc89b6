"""How the simulated Stripe reads a request: every parameter known, of its type, and possible.

Source: docs.stripe.com/api, OpenAPI document of 2023-08-16, read 2026-11.
"""

import re
from typing import Any, Final, TypeAlias
from urllib.parse import parse_qsl

import httpx

Json: TypeAlias = dict[str, Any]

_LARGEST: Final = 99_999_999

# Presentment currencies, read 2026-11 at docs.stripe.com/currencies.
_CURRENCIES: Final = frozenset(
    """
    usd aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bhd bif bmd bnd bob brl bsd bwp byn
    bzd cad cdf chf clp cny cop crc cve czk djf dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gnf
    gtq gyd hkd hnl htg huf idr ils inr isk jmd jod jpy kes kgs khr kmf krw kwd kyd kzt lak lbp lkr
    lrd lsl mad mdl mga mkd mmk mnt mop mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd omr pab pen
    pgk php pkr pln pyg qar ron rsd rub rwf sar sbd scr sek sgd shp sle sos srd std szl thb tjs tnd
    top try ttd twd tzs uah ugx uyu uzs vnd vuv wst xaf xcd xof xpf yer zar zmw
    """.split()
)
_MINIMUM: Final = {"usd": 50, "eur": 50, "gbp": 30, "chf": 50, "jpy": 50}

CREATE: Final = {
    "amount": "int",
    "currency": "text",
    "confirm": "bool",
    "payment_method": "text",
    "payment_method_types": "list",
    "payment_method_data": "map",
    "payment_method_options": "map",
    "customer": "text",
    "return_url": "text",
    "transfer_data": "map",
    "transfer_group": "text",
    "application_fee_amount": "int",
    "capture_method": "automatic|automatic_async|manual",
    "confirmation_method": "automatic|manual",
    "description": "text",
    "metadata": "map",
    "mandate_data": "map",
    "off_session": "bool",
    "statement_descriptor_suffix": "text",
    "expand": "list",
}
CONFIRM: Final = {
    "payment_method": "text",
    "mandate_data": "map",
    "off_session": "bool",
    "return_url": "text",
    "expand": "list",
}
CAPTURE: Final = {
    "amount_to_capture": "int",
    "application_fee_amount": "int",
    "metadata": "map",
    "expand": "list",
}
CANCEL: Final = {
    "cancellation_reason": "duplicate|fraudulent|requested_by_customer|abandoned",
    "expand": "list",
}
REFUND: Final = {
    "payment_intent": "text",
    "charge": "text",
    "amount": "int",
    "reason": "duplicate|fraudulent|requested_by_customer",
    "reverse_transfer": "bool",
    "refund_application_fee": "bool",
    "metadata": "map",
    "expand": "list",
}
ONE: Final = {"expand": "list"}
PAGE: Final = {"limit": "int", "starting_after": "text", "created": "map", "expand": "list"}
SEARCH: Final = {"query": "text", "limit": "int", "page": "text", "expand": "list"}
BY_PAYMENT: Final = {**PAGE, "payment_intent": "text", "charge": "text"}
BY_TYPE: Final = {**PAGE, "type": "text", "types": "list"}

_EXPANDABLE: Final = {"latest_charge", "data.latest_charge"}


class Refusal(Exception):  # noqa: N818 - an answer, not a failure of the simulator
    """An answer with an error.

    Attributes:
        stored: Whether the endpoint had begun, so that the same key repeats the answer.
    """

    def __init__(self, status: int, error: Json, *, stored: bool = False) -> None:
        super().__init__(status)
        self.status = status
        self.error = {"type": "invalid_request_error", **error}
        self.stored = stored


def pairs_of(body: bytes) -> list[tuple[str, str]]:
    """Fields of a form or a query, in order."""
    return parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)


def read(request: httpx.Request, body: bytes, allowed: dict[str, str]) -> Json:
    """The parameters, refused where one is unknown or of the wrong type."""
    if request.method == "POST":
        media = request.headers.get("content-type", "").partition(";")[0]
        if body and media != "application/x-www-form-urlencoded":
            raise Refusal(400, {"message": f"Invalid request (check the content type {media})."})
        pairs = pairs_of(body)
    else:
        pairs = pairs_of(request.url.query)
    params: Json = {}
    for name, value in pairs:
        _put(params, name, value, allowed)
    for name in params.get("expand", []):
        if name not in _EXPANDABLE:
            message = f"This property cannot be expanded ({name})."
            raise Refusal(400, {"message": message, "param": "expand"})
    return params


def _put(params: Json, name: str, value: str, allowed: dict[str, str]) -> None:
    match = re.fullmatch(r"([^\[\]]+)((?:\[[^\[\]]*\])*)", name)
    top, rest = (match[1], re.findall(r"\[([^\]]*)\]", match[2])) if match else (name, [])
    kind = allowed.get(top)
    if kind is None or (bool(rest) != (kind in {"map", "list"})):
        error = {
            "code": "parameter_unknown",
            "param": name,
            "message": "Received unknown parameter",
        }
        raise Refusal(400, error)
    if kind == "list":
        params.setdefault(top, []).append(value)
    elif kind == "map":
        place = params.setdefault(top, {})
        for step in rest[:-1]:
            place = place.setdefault(step, {})
        place[rest[-1]] = value
    else:
        params[top] = _scalar(top, value, kind)


def _scalar(name: str, value: str, kind: str) -> Any:
    if value == "":
        error = {"code": "parameter_invalid_empty", "param": name, "message": "Empty value"}
        raise Refusal(400, error)
    if kind == "int":
        if not re.fullmatch(r"-?\d{1,15}", value, re.ASCII):
            error = {
                "code": "parameter_invalid_integer",
                "param": name,
                "message": "Not an integer",
            }
            raise Refusal(400, error)
        return int(value)
    if kind == "text":
        return value
    choices = {"true": True, "false": False} if kind == "bool" else {k: k for k in kind.split("|")}
    if value not in choices:
        raise Refusal(400, {"param": name, "message": f"Invalid {name}: not one of {kind}"})
    return choices[value]


def require(params: Json, *names: str) -> None:
    """Refuse unless all are there."""
    for name in names:
        if name not in params:
            message = f"Missing required param: {name}."
            raise Refusal(400, {"code": "parameter_missing", "param": name, "message": message})


def check_amount(amount: int, currency: str) -> None:
    """Refuse what no payment can be."""
    if currency not in _CURRENCIES:
        raise Refusal(400, {"param": "currency", "message": f"Invalid currency: {currency}."})
    check_unit(amount, currency, "amount")
    if amount < _MINIMUM.get(currency, 1):
        error = {"code": "amount_too_small", "param": "amount", "message": "Amount too small"}
        raise Refusal(400, error)
    if amount > _LARGEST:
        error = {"code": "amount_too_large", "param": "amount", "message": "Amount too large"}
        raise Refusal(400, error)


def check_unit(amount: int, currency: str, param: str) -> None:
    """Refuse what the currency cannot express."""
    if amount < 1:
        message = "This value must be greater than or equal to 1."
        raise Refusal(
            400, {"code": "parameter_invalid_integer", "param": param, "message": message}
        )
    if currency in {"isk", "ugx"} and amount % 100:
        code = "invalid_charge_amount_no_decimal_compatible"
        raise Refusal(400, {"code": code, "param": param, "message": "Must be divisible by 100."})
    if currency in {"bhd", "jod", "kwd", "omr", "tnd"} and amount % 10:
        raise Refusal(400, {"param": param, "message": "The last digit must be 0."})


def unpayable() -> Refusal:
    """There is nothing to pay with."""
    message = "You cannot confirm this PaymentIntent without a payment method."
    return Refusal(400, {"code": "payment_intent_unexpected_state", "message": message})


def search_terms(query: str) -> dict[str, str]:
    """The terms of a search by metadata, joined by AND; what we do not know is refused."""
    terms: dict[str, str] = {}
    for clause in re.split(r"\s+AND\s+", query):
        match = re.fullmatch(
            r"""metadata\[(["'])(?P<name>[^"'\]]+)\1\]:(["'])(?P<value>(?:\\.|(?!\3).)*)\3""",
            clause,
        )
        if match is None:
            raise Refusal(400, {"param": "query", "message": "We were unable to parse the query."})
        terms[match["name"]] = re.sub(r"\\(.)", r"\1", match["value"])
    return terms


def limit_of(params: Json) -> int:
    """How many a page may hold."""
    limit: int = params.get("limit", 10)
    if not 1 <= limit <= 100:  # noqa: PLR2004 - documented range
        raise Refusal(400, {"param": "limit", "message": "Must be between 1 and 100."})
    return limit


def offset_of(params: Json) -> int:
    """Where a page of a search begins."""
    page = params.get("page", "0")
    if not page.isdigit():
        raise Refusal(400, {"param": "page", "message": "Invalid page."})
    return int(page)


def page_of(newest_first: list[Json], params: Json, url: str) -> Json:
    """One page of a list, filtered by time."""
    things, limit = newest_first, limit_of(params)
    for operator, bound in params.get("created", {}).items():
        if operator not in {"gt", "gte", "lt", "lte"} or not bound.isdigit():
            raise Refusal(400, {"param": "created", "message": "Invalid created filter."})
        things = [one for one in things if _holds(one["created"], operator, int(bound))]
    if "starting_after" in params:
        ids = [one["id"] for one in things]
        if params["starting_after"] not in ids:
            raise missing("starting_after", params["starting_after"])
        things = things[ids.index(params["starting_after"]) + 1 :]
    return {
        "object": "list",
        "url": url,
        "has_more": len(things) > limit,
        "data": things[:limit],
    }


def _holds(created: int, operator: str, bound: int) -> bool:
    if created == bound:
        return operator.endswith("e")
    return (created > bound) == operator.startswith("g")


def missing(param: str, value: str, *, status: int = 400) -> Refusal:
    """There is no such thing."""
    message = f"No such {param}: '{value}'"
    return Refusal(
        status, {"code": "resource_missing", "param": param, "message": message}, stored=False
    )
