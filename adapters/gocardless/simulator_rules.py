"""How the simulated GoCardless reads a request: what it refuses, and in which words.

Source: developer.gocardless.com/api-reference (errors, idempotency keys, cursor pagination) and the
error fixtures of gocardless_pro 3.22.0, read 2026-11.
"""

import hmac
import json
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias, TypeVar

import httpx
import msgspec

from adapters.gocardless.simulator_resources import Mandate

T = TypeVar("T")
Json: TypeAlias = dict[str, Any]

_VERSION: Final = "2015-07-06"
_KEY_LENGTH: Final = 128
_METADATA: Final = (3, 50, 500)
_MOST: Final = 500
# Source: developer.gocardless.com/api-reference, create a payment, read 2026-11.
_COLLECTABLE: Final = frozenset(
    {"pending_customer_approval", "pending_submission", "submitted", "active"}
)
_LARGEST: Final = 1_000_000_00
_DATES: Final[dict[str, Callable[[str, str], bool]]] = {
    "created_at[gt]": operator.gt,
    "created_at[gte]": operator.ge,
    "created_at[lt]": operator.lt,
    "created_at[lte]": operator.le,
}
# Status to type and reason of an error that is only asked for.
_ASKED: Final = {
    400: ("invalid_api_usage", "bad_request"),
    401: ("invalid_api_usage", "unauthorized"),
    403: ("invalid_api_usage", "insufficient_permissions"),
    404: ("invalid_api_usage", "resource_not_found"),
    409: ("validation_failed", "bank_account_exists"),
    422: ("validation_failed", ""),
    429: ("invalid_api_usage", "rate_limit_exceeded"),
}


class Refusal(Exception):  # noqa: N818 - an answer, not a failure of the simulator
    """An answer with an error."""

    def __init__(self, status: int, error: Json) -> None:
        super().__init__(status)
        self.status = status
        self.error = error


class Page(msgspec.Struct, frozen=True):
    """One page of a list, with its cursors."""

    items: list[Json]
    meta: Json


def error_of(status: int, reason: str = "", *, kind: str = "", **more: Any) -> Json:
    """An error as GoCardless writes it."""
    asked_kind, asked = _ASKED.get(status, ("gocardless", "internal_error"))
    reason = reason or asked
    error = {"reason": reason, "message": reason.replace("_", " "), **more}
    return {
        "message": "Refused by the simulator.",
        "documentation_url": f"https://developer.gocardless.com/api-reference#{reason}",
        "type": kind or asked_kind,
        "request_id": "00000000-0000-4000-8000-000000000000",
        "code": status,
        "errors": [{name: value for name, value in error.items() if value}],
    }


def invalid_state(reason: str) -> Refusal:
    """The state of the resource forbids it."""
    return Refusal(422, error_of(422, reason, kind="invalid_state"))


def invalid(field: str, name: str, message: str) -> Refusal:
    """A field is wrong."""
    error = error_of(422, "validation_failed")
    pointer = f"/{name}/{field}"
    error["errors"] = [{"field": field, "message": message, "request_pointer": pointer}]
    return Refusal(422, error)


def conflict(made: str) -> Refusal:
    """The key was used before, for this."""
    links = {"conflicting_resource_id": made}
    reason = "idempotent_creation_conflict"
    return Refusal(409, error_of(409, reason, kind="invalid_state", links=links))


def known(things: Mapping[str, T], reference: str) -> T:
    """The thing of this id."""
    if reference not in things:
        raise Refusal(404, error_of(404))
    return things[reference]


def admit(request: httpx.Request, access_token: str) -> None:
    """Refuse who has no token, or speaks another version."""
    given = request.headers.get("authorization", "")
    if not hmac.compare_digest(given.encode(), f"Bearer {access_token}".encode()):
        raise Refusal(401, error_of(401))
    version = request.headers.get("gocardless-version")
    if version != _VERSION:
        reason = "version_not_found" if version else "missing_version_header"
        raise Refusal(400, error_of(400, reason))
    media = request.headers.get("content-type", "").partition(";")[0]
    if request.method != "GET" and media != "application/json":
        raise Refusal(415, error_of(415, "invalid_content_type", kind="invalid_api_usage"))


def key_of(request: httpx.Request) -> str:
    """The key of a write; empty for none."""
    key = str(request.headers.get("idempotency-key", ""))
    if len(key) > _KEY_LENGTH:
        raise Refusal(400, error_of(400, "idempotency_key_too_long"))
    return key


def body_of(request: httpx.Request, name: str, *, required: bool = True) -> Json:
    """What is in the envelope."""
    try:
        document = json.loads(request.content or b"{}")
    except ValueError as error:
        raise Refusal(400, error_of(400, "invalid_document_structure")) from error
    inner = (document or {}).get(name) if isinstance(document, dict | None) else None
    if inner is None and not required and document in ({}, None):
        return {}
    if not isinstance(inner, dict) or set(document) != {name}:
        raise Refusal(400, error_of(400, "invalid_document_structure"))
    return inner


def check_fields(given: Json, allowed: set[str]) -> None:
    """Refuse a field that is none."""
    for name in given:
        if name not in allowed:
            raise invalid(name, "", "is not a field")


def check_metadata(given: Json) -> None:
    """Refuse metadata that is too much, or no text."""
    metadata, (keys, name_length, length) = given.get("metadata", {}), _METADATA
    if not isinstance(metadata, dict) or len(metadata) > keys:
        raise invalid("metadata", "", "must have at most 3 keys")
    for name, value in metadata.items():
        if not isinstance(value, str) or len(name) > name_length or len(value) > length:
            raise invalid("metadata", "", "keys must fit 50 characters and values 500")


def check_payment(given: Json, mandates: Mapping[str, Mandate]) -> Mandate:
    """Refuse a payment that cannot be; its mandate, otherwise."""
    optional = {"app_fee", "charge_date", "description", "faster_ach", "metadata", "reference"}
    check_fields(given, {"amount", "currency", "links", "retry_if_possible", *optional})
    _check_amount(given, "amount", "payments")
    mandate = mandates.get(_linked(given, "mandate"))
    if mandate is None:
        raise invalid("mandate", "payments/links", "not found")
    if given.get("currency") not in {one.currency for one in mandates.values()}:
        raise invalid("currency", "payments", "is not included in the list")
    check_metadata(given)
    if mandate.status not in _COLLECTABLE:
        raise invalid_state("mandate_is_inactive")
    if given["currency"] != mandate.currency:
        raise invalid("currency", "payments", "does not match the scheme of the mandate")
    return mandate


def check_refund(given: Json, payments: Mapping[str, Json]) -> Json:
    """Refuse a refund that cannot be; its payment, otherwise."""
    check_fields(given, {"amount", "total_amount_confirmation", "links", "metadata", "reference"})
    _check_amount(given, "amount", "refunds")
    payment = payments.get(_linked(given, "payment"))
    if payment is None:
        raise invalid("payment", "refunds/links", "not found")
    _check_amount(given, "total_amount_confirmation", "refunds")
    check_metadata(given)
    if payment["status"] not in {"confirmed", "paid_out"}:
        raise invalid_state("refund_payment_invalid_state")
    return payment


def page_of(
    newest_first: Sequence[Json], request: httpx.Request, filters: Mapping[str, Callable[..., Any]]
) -> Page:
    """One page of a list, filtered."""
    params = dict(request.url.params)
    for name in params:
        if name not in {"limit", "after", *_DATES, *filters}:
            raise Refusal(400, error_of(400, "invalid_filters"))
    limit = params.get("limit", "50")
    if not limit.isdigit() or not 1 <= int(limit) <= _MOST:
        raise Refusal(400, error_of(400, "invalid_filters"))
    things = [one for one in newest_first if _wanted(one, params, filters)]
    if "after" in params:
        ids = [one["id"] for one in things]
        if params["after"] not in ids:
            raise Refusal(400, error_of(400, "invalid_filters"))
        things = things[ids.index(params["after"]) + 1 :]
    items = things[: int(limit)]
    after = items[-1]["id"] if len(things) > len(items) else None
    meta = {"cursors": {"before": None, "after": after}, "limit": int(limit)}
    return Page(items, meta)


def _wanted(one: Json, params: Json, filters: Mapping[str, Callable[..., Any]]) -> bool:
    # Times of one form are in the order of their texts.
    for name, holds in _DATES.items():
        if name in params and not holds(one["created_at"], params[name]):
            return False
    return all(read(one) == params[name] for name, read in filters.items() if name in params)


def _linked(given: Json, name: str) -> str:
    links = given.get("links")
    if not isinstance(links, dict) or set(links) != {name}:
        raise invalid(name, "links", "can't be blank")
    return str(links[name])


def _check_amount(given: Json, field: str, name: str) -> None:
    amount = given.get(field)
    if isinstance(amount, str) and amount.isdigit():
        amount = int(amount)
    if not isinstance(amount, int) or isinstance(amount, bool):
        raise invalid(field, name, "is not a number")
    if not 1 <= amount <= _LARGEST:
        raise invalid(field, name, "is not between 1 and the limit of the scheme")
