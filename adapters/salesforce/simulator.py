"""Salesforce in memory: the token, two objects, their rules, and errors in its own words.

Source: REST API Developer Guide 67.0, "sObject Rows by External ID", "Status Codes and Error
Responses"; texts of errors as reported in public issue threads, read 2026-11.
"""

import base64
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import parse_qs

import httpx
import msgspec

from adapters.salesforce import wire

# Longest value of a text field; other kinds by name.
_ACCOUNT: Final[dict[str, int | str]] = {
    "Name": 255, "Phone": 40, "Website": 255, "BillingStreet": 255, "BillingCity": 40,
    "BillingPostalCode": 20, "BillingCountry": 80, "BillingCountryCode": "country",
}  # fmt: skip
_OPPORTUNITY: Final[dict[str, int | str]] = {
    "Name": 120, "AccountId": "account", "StageName": 255, "CloseDate": "date",
    "Amount": "number", "Description": 32_000,
}  # fmt: skip
_REQUIRED: Final = {"Account": ("Name",), "Opportunity": ("Name", "StageName", "CloseDate")}
_PREFIXES: Final = {"Account": "001", "Opportunity": "006"}
_EXTERNAL_ID_LENGTH: Final = 64
_SHORT_ID: Final = 15
_PATH: Final = re.compile(
    r"/services/data/v(?P<version>\d\d)\.0/sobjects/(?P<sobject>\w+)"
    r"(?:/(?P<field>\w+)(?:/(?P<value>[^/]+))?)?/?"
)
_PATTERNS: Final = {
    "country": re.compile("[A-Z]{2}"),
    "date": re.compile(r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])"),
}
_LIMIT: Final = (403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
_CONCURRENT: Final = (
    403, "REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests (Concurrent API Requests) Limit exceeded.",
)  # fmt: skip
_LOCKED: Final = (400, "UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record")
_SESSION: Final = (401, "INVALID_SESSION_ID", "Session expired or invalid")
_MISSING: Final = (404, "NOT_FOUND", "The requested resource does not exist")
_REFUSALS: Final = {
    401: _SESSION,
    403: _LIMIT,
    404: _MISSING,
    409: _LOCKED,
    423: _LOCKED,
    429: _CONCURRENT,  # Salesforce has no 429
    503: (503, "SERVER_UNAVAILABLE", "The server is temporarily unavailable"),
}


class _Refusal(Exception):  # noqa: N818 - an answer, not an error of ours
    def __init__(self, status: int, code: str, message: str, *fields: str) -> None:
        self.response = _refusal(status, code, message, *fields)


class SalesforceSimulator:
    """One org with Account and Opportunity.

    Attributes:
        updates_without_body: Answer an update with 204, as versions before 46.0 do.

    Args:
        instance_url: Named with each token; empty for the address that was asked.
        custom_fields: Further text fields of Account.
        unique: Whether the external id field is unique; where not, an upsert may meet several.
        daily_limit: Requests until REQUEST_LIMIT_EXCEEDED, over the life of the simulator.
    """

    def __init__(
        self,
        *,
        client_id: str = "headrace",
        client_secret: str = "simulated-secret",  # noqa: S107 - of the simulator
        token_ttl_s: float = 7_200.0,
        instance_url: str = "",
        external_id_field: str = "Headrace_Id__c",
        custom_fields: Sequence[str] = ("VAT_ID__c",),
        multi_currency: bool = False,
        country_picklists: bool = True,
        unique: bool = True,
        daily_limit: int = 5_000_000,
    ) -> None:
        self.updates_without_body = False
        self._credentials = (client_id, client_secret)
        self._token_ttl_s = token_ttl_s
        self._instance_url = instance_url
        self._external_id_field = external_id_field
        self._unique = unique
        self._daily_limit = daily_limit
        own: dict[str, int | str] = {external_id_field: _EXTERNAL_ID_LENGTH}
        currency: dict[str, int | str] = {"CurrencyIsoCode": 3} if multi_currency else {}
        self._fields: dict[str, dict[str, int | str]] = {
            "Account": {**_ACCOUNT, **dict.fromkeys(custom_fields, 255), **own, **currency},
            "Opportunity": {**_OPPORTUNITY, **own, **currency},
        }
        if not country_picklists:
            del self._fields["Account"]["BillingCountryCode"]
        self._tokens: dict[str, float] = {}
        self._logins = 0
        self._calls = 0
        self._rows: dict[str, list[dict[str, Any]]] = {"Account": [], "Opportunity": []}

    def handle(self, request: httpx.Request, *, now: float) -> httpx.Response:
        """Answer as the product does."""
        if request.url.path == "/services/oauth2/token":
            return self._token(request, now)
        try:
            response = self._serve(request, now)
        except _Refusal as refusal:
            response = refusal.response
        response.headers["Sforce-Limit-Info"] = f"api-usage={self._calls}/{self._daily_limit}"
        return response

    def refuse(self, request: httpx.Request, status: int) -> httpx.Response:
        """The error with this status as the product writes it; nothing happens."""
        if request.url.path == "/services/oauth2/token":
            known = {401: "invalid_client", 429: "rate_limit_exceeded"}
            code = known.get(status, "server_error")
            return _json(400 if status in known else status, {"error": code})
        return _refusal(*_REFUSALS.get(status, (status, "UNKNOWN_EXCEPTION", "unexpected error")))

    def due(self, *, now: float) -> Sequence[httpx.Request]:  # noqa: ARG002 - it has none
        """No webhooks: changes are polled."""
        return ()

    def effects(self) -> dict[str, dict[str, int]]:
        """How many records were made for each of our ids."""
        return {sobject.lower(): self._made(sobject) for sobject in self._rows}

    def revoke_tokens(self) -> None:
        """End all sessions, as an administrator can."""
        self._tokens.clear()

    def rows(self, sobject: str) -> tuple[dict[str, Any], ...]:
        """The records of one object, oldest first."""
        return tuple(dict(row) for row in self._rows[sobject])

    def _made(self, sobject: str) -> dict[str, int]:
        ids = (row.get(self._external_id_field) for row in self._rows[sobject])
        return dict(Counter(wire.entity_id(value) for value in ids if value))

    def _token(self, request: httpx.Request, now: float) -> httpx.Response:
        fields = parse_qs(request.read().decode("utf-8", errors="replace"))
        form = {name: values[0] for name, values in fields.items()}
        form |= _from_header(request.headers.get("authorization", ""))
        if request.method != "POST" or form.get("grant_type") != "client_credentials":
            return _oauth_error("unsupported_grant_type", "grant type not supported")
        client_id, client_secret = self._credentials
        if form.get("client_id") != client_id:
            return _oauth_error("invalid_client_id", "client identifier invalid")
        if form.get("client_secret") != client_secret:
            return _oauth_error("invalid_client", "invalid client credentials")
        self._logins += 1
        token = f"00DHr0000000001!{self._logins:024d}"
        self._tokens[token] = now + self._token_ttl_s
        origin = self._instance_url or f"{request.url.scheme}://{request.url.netloc.decode()}"
        return _json(
            200,
            {
                "access_token": token,
                "instance_url": origin,
                "id": f"{origin}/id/00DHr0000000001AAA/005Hr0000000001AAA",
                "token_type": "Bearer",
                "issued_at": str(int(now * 1000)),
            },
        )

    def _serve(self, request: httpx.Request, now: float) -> httpx.Response:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or self._tokens.get(token, now) <= now:
            raise _Refusal(*_SESSION)
        self._calls += 1
        if self._calls > self._daily_limit:
            raise _Refusal(*_LIMIT)
        path = _PATH.fullmatch(request.url.path)
        if path is None or path["sobject"] not in self._rows:
            raise _Refusal(*_MISSING)
        verb = (request.method, bool(path["field"]), bool(path["value"]))
        match verb:
            case ("PATCH", True, True):
                return self._upsert(request, path)
            case ("GET", True, True):
                return self._read(path, self._matches(path))
            case ("GET", True, False):
                rows = self._rows[path["sobject"]]
                return self._read(path, [row for row in rows if _same_id(row, path["field"])])
            case ("POST", False, False):
                return self._create(path["sobject"], {}, self._body(request, path["sobject"]))
        raise _Refusal(405, "METHOD_NOT_ALLOWED", f"HTTP Method '{request.method}' not allowed.")

    def _matches(self, path: re.Match[str]) -> list[dict[str, Any]]:
        if path["field"] != self._external_id_field:
            message = "Provided external ID field does not exist or is not accessible: "
            raise _Refusal(404, "NOT_FOUND", message + path["field"])
        if path["value"].endswith((".inc", ".json", ".xml")):
            raise _Refusal(*_MISSING)  # taken for a file name, as documented
        rows = self._rows[path["sobject"]]
        return [row for row in rows if row.get(self._external_id_field) == path["value"]]

    def _read(self, path: re.Match[str], rows: list[dict[str, Any]]) -> httpx.Response:
        if not rows:
            raise _Refusal(*_MISSING)
        urls = [_url(path, row) for row in rows]
        if len(rows) > 1:
            return _json(300, urls)
        attributes = {"type": path["sobject"], "url": urls[0]}
        empty = dict.fromkeys(self._fields[path["sobject"]])
        return _json(200, {"attributes": attributes, **empty, **rows[0]})

    def _upsert(self, request: httpx.Request, path: re.Match[str]) -> httpx.Response:
        rows = self._matches(path)
        body = self._body(request, path["sobject"])
        if self._external_id_field in body:
            message = f"The {self._external_id_field} field should not be specified in the data."
            raise _Refusal(400, "INVALID_FIELD", message, self._external_id_field)
        if len(rows) > 1:
            return _json(300, [_url(path, row) for row in rows])
        if not rows:
            own = {self._external_id_field: path["value"]}
            self._check_fields(path["sobject"], own)
            return self._create(path["sobject"], own, body)
        self._check_required(path["sobject"], {**rows[0], **body})
        rows[0].update(body)
        if self.updates_without_body:
            return httpx.Response(204)
        return _saved(200, rows[0]["Id"])

    def _create(
        self, sobject: str, own: Mapping[str, Any], body: Mapping[str, Any]
    ) -> httpx.Response:
        fields = {**own, **body}
        self._check_required(sobject, fields)
        rows, ours = self._rows[sobject], fields.get(self._external_id_field)
        if self._unique and ours and any(r.get(self._external_id_field) == ours for r in rows):
            name = self._external_id_field
            raise _Refusal(400, "DUPLICATE_VALUE", f"duplicate value found: {name}", name)
        record_id = long_id(f"{_PREFIXES[sobject]}Hr{len(rows) + 1:010d}")
        rows.append({"Id": record_id, **fields})
        return _saved(201, record_id)

    def _body(self, request: httpx.Request, sobject: str) -> dict[str, Any]:
        if not request.headers.get("content-type", "").startswith("application/json"):
            raise _Refusal(415, "UNSUPPORTED_MEDIA_TYPE", "Content-Type is not supported.")
        try:
            body = msgspec.json.decode(request.read(), type=dict[str, Any])
        except msgspec.MsgspecError as error:
            raise _Refusal(400, "JSON_PARSER_ERROR", "Unexpected character") from error
        self._check_fields(sobject, body)
        return body

    def _check_required(self, sobject: str, fields: Mapping[str, Any]) -> None:
        absent = [name for name in _REQUIRED[sobject] if not fields.get(name)]
        if absent:
            message = f"Required fields are missing: [{', '.join(absent)}]"
            raise _Refusal(400, "REQUIRED_FIELD_MISSING", message, *absent)

    def _check_fields(self, sobject: str, fields: Mapping[str, Any]) -> None:
        for name, value in fields.items():
            rule = self._fields[sobject].get(name)
            if rule is None:
                message = f"No such column '{name}' on sobject of type {sobject}"
                raise _Refusal(400, "INVALID_FIELD", message)
            if value is not None:
                self._check_value(name, rule, value)

    def _check_value(self, name: str, rule: int | str, value: Any) -> None:
        if isinstance(value, bool) or isinstance(value, int | float) != (rule == "number"):
            message = f"Cannot deserialize instance of {rule} from {value!r}"
            raise _Refusal(400, "JSON_PARSER_ERROR", message)
        if isinstance(rule, int) and len(value) > rule:
            message = f"{name}: data value too large: {value} (max length={rule})"
            raise _Refusal(400, "STRING_TOO_LONG", message, name)
        if rule == "account" and not any(_same_id(row, value) for row in self._rows["Account"]):
            raise _Refusal(400, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", name)
        if rule == "country" and not _PATTERNS["country"].fullmatch(value):
            message = "There's a problem with this country, even though it may appear correct."
            raise _Refusal(400, "FIELD_INTEGRITY_EXCEPTION", message, name)
        if rule == "date" and not _PATTERNS["date"].fullmatch(value):
            raise _Refusal(400, "JSON_PARSER_ERROR", f"Cannot deserialize a date from {value}")


def long_id(short: str) -> str:
    """The 18-character form of a 15-character id, safe where case is lost.

    Each group of five gives one character: which of the five are capitals, as a binary number.
    """
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
    groups = (short[start : start + 5] for start in range(0, _SHORT_ID, 5))
    return short + "".join(
        alphabet[sum(1 << place for place, letter in enumerate(group) if letter.isupper())]
        for group in groups
    )


def _from_header(authorization: str) -> dict[str, str]:
    """Client id and secret as HTTP Basic, the other way Salesforce takes them."""
    scheme, _, coded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return {}
    try:
        client_id, _, secret = base64.b64decode(coded).decode().partition(":")
    except ValueError:  # neither base64 nor text
        return {}
    return {"client_id": client_id, "client_secret": secret}


def _same_id(row: Mapping[str, Any], given: str) -> bool:
    return bool(row["Id"] == (long_id(given) if len(given) == _SHORT_ID else given))


def _url(path: re.Match[str], row: Mapping[str, Any]) -> str:
    return f"/services/data/v{path['version']}.0/sobjects/{path['sobject']}/{row['Id']}"


def _saved(status: int, record_id: str) -> httpx.Response:
    created = status == httpx.codes.CREATED
    return _json(status, {"id": record_id, "success": True, "errors": [], "created": created})


def _oauth_error(code: str, description: str) -> httpx.Response:
    return _json(400, {"error": code, "error_description": description})


def _refusal(status: int, code: str, message: str, *fields: str) -> httpx.Response:
    fault: dict[str, Any] = {"message": message, "errorCode": code}
    return _json(status, [{**fault, "fields": list(fields)} if fields else fault])


def _json(status: int, body: Any) -> httpx.Response:
    headers = {"Content-Type": "application/json;charset=UTF-8"}
    return httpx.Response(status, headers=headers, content=msgspec.json.encode(body))
