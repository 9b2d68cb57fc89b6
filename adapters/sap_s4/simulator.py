"""SAP S/4HANA in memory: the two OData V2 services with logon, tokens, locks and entity tags.

It is strict where SAP is strict: unknown properties, too long values, tokens of another session
and stale entity tags are refused. It is as careless as SAP where SAP is careless: the same
customer reference may come twice, which is why ``effects`` counts.

Source: metadata of API_BUSINESS_PARTNER and API_SALES_ORDER_SRV, read 2026-11.
"""

import base64
import datetime as dt
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final
from urllib.parse import parse_qsl, unquote

import httpx
import msgspec

from adapters.sap_s4.simulator_answers import (
    FRAMEWORK,
    GATEWAY,
    PAGES,
    WORDS,
    RefusalError,
    error_answer,
    json_answer,
    page_answer,
)
from adapters.sap_s4.simulator_schema import TYPES, check

_ROOT: Final = "/sap/opu/odata/sap/"

_SERVICES: Final = {
    "API_BUSINESS_PARTNER": ("A_BusinessPartner",),
    "API_SALES_ORDER_SRV": ("A_SalesOrder", "A_SalesOrderItem"),
}
_KEYS: Final = {
    "A_BusinessPartner": ("BusinessPartner",),
    "A_SalesOrder": ("SalesOrder",),
    "A_SalesOrderItem": ("SalesOrder", "SalesOrderItem"),
}
_PARTNER_REFERENCES: Final = ("BusinessPartnerIDByExtSystem", "SearchTerm1", "SearchTerm2")
_REFERENCES: Final = frozenset({*_PARTNER_REFERENCES, "PurchaseOrderByCustomer"})
_TEST: Final = re.compile(r"\s*(\w+)\s+eq\s+'((?:[^']|'')*)'\s*")
_SEGMENT: Final = re.compile(r"(\w+)(?:\((.*)\))?")
_Record = dict[str, Any]


class SapS4Simulator:
    """One client of one S/4HANA system.

    Args:
        user, password, client: What a logon has to say.
        csrf_ttl_s: Seconds that a token lives.
        materials: Known materials; None: whatever starts with a letter, but not with UNKNOWN.
    """

    def __init__(
        self,
        *,
        user: str,
        password: str,
        client: str = "100",
        csrf_ttl_s: float = 1800,
        materials: frozenset[str] | None = None,
    ) -> None:
        self._logon = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
        self._user = user.upper()[:12]
        self._client = client
        self._csrf_ttl_s = csrf_ttl_s
        self._materials = materials
        self._sessions: dict[str, tuple[str, float]] = {}
        self._partners: dict[str, _Record] = {}
        self._orders: dict[str, _Record] = {}
        self._index: dict[tuple[str, str], list[_Record]] = {}
        self._changes = 0
        self._cancelled: Counter[str] = Counter()
        self._now = 0.0

    def handle(self, request: httpx.Request, *, now: float) -> httpx.Response:
        """Answer as the Gateway does."""
        self._now = now
        try:
            return self._answer(request)
        except RefusalError as refusal:
            return refusal.response

    def refuse(self, request: httpx.Request, status: int) -> httpx.Response:  # noqa: ARG002 - named by the protocol
        """The error with this status in SAP's words; a 403 here is a missing authorization."""
        if status in PAGES:
            return page_answer(status, PAGES[status])
        code, sentence = WORDS.get(status, ("V1/000", "The document could not be processed"))
        return error_answer(status, code, sentence)

    def due(self, *, now: float) -> Sequence[httpx.Request]:  # noqa: ARG002 - named by the protocol
        """Nothing: SAP calls nobody here."""
        return ()

    def effects(self) -> dict[str, dict[str, int]]:
        """How often each of our references was made or cancelled."""
        partners = Counter(_external_reference(each) for each in self._partners.values())
        orders = Counter(each["PurchaseOrderByCustomer"] for each in self._orders.values())
        return {
            "business_partner": dict(partners),
            "sales_order": dict(orders),
            "sales_order_cancelled": dict(self._cancelled),
        }

    # --- before the service: logon, client, token ---------------------------------------------

    def _answer(self, request: httpx.Request) -> httpx.Response:
        options = dict(parse_qsl(request.url.query.decode(), keep_blank_values=True))
        client = options.get("sap-client") or request.headers.get("sap-client", self._client)
        if request.headers.get("authorization") != self._logon or client != self._client:
            return page_answer(401, PAGES[401], {"WWW-Authenticate": f'Basic realm="S4H/{client}"'})
        service, slash, resource = request.url.path.removeprefix(_ROOT).partition("/")
        if not request.url.path.startswith(_ROOT) or service not in _SERVICES:
            return error_answer(404, FRAMEWORK, f"No service found for name '{service}'")
        issued = self._token(request)
        if not resource:
            return self._service_document(request, slash=bool(slash), headers=issued)
        response = self._serve(service, resource, options, request)
        response.headers.update(issued)
        return response

    def _token(self, request: httpx.Request) -> dict[str, str]:
        """Hand out a token to who asks, and let nobody write without his own."""
        asked = request.headers.get("x-csrf-token", "")
        cookie = _cookie(request.headers.get("cookie", ""))
        token, until = self._sessions.get(cookie, ("", 0.0))
        alive = self._now < until
        if request.method in {"GET", "HEAD"}:
            if asked.lower() != "fetch":
                return {}
            return {"x-csrf-token": token} if alive else self._new_session()
        if not alive or asked != token:
            headers = {"x-csrf-token": "Required", "content-type": "text/plain; charset=utf-8"}
            text = "CSRF token validation failed"
            raise RefusalError(httpx.Response(403, headers=headers, text=text))
        return {}

    def _new_session(self) -> dict[str, str]:
        number = len(self._sessions) + 1
        cookie, token = f"S{number:023d}", f"T{number:022d}=="
        self._sessions[cookie] = (token, self._now + self._csrf_ttl_s)
        name = f"SAP_SESSIONID_S4H_{self._client}"
        return {"x-csrf-token": token, "set-cookie": f"{name}={cookie}; path=/; secure; HttpOnly"}

    def _service_document(
        self, request: httpx.Request, *, slash: bool, headers: Mapping[str, str]
    ) -> httpx.Response:
        if request.method not in {"GET", "HEAD"}:
            return error_answer(405, f"{GATEWAY}018", "Method not allowed")
        if not slash:
            return httpx.Response(307, headers={"location": f"{request.url.path}/"})
        return json_answer(200, {"d": {"EntitySets": []}}, headers)

    # --- the services --------------------------------------------------------------------------

    def _serve(
        self, service: str, resource: str, options: Mapping[str, str], request: httpx.Request
    ) -> httpx.Response:
        match = _SEGMENT.fullmatch(unquote(resource))
        if match is None or match.group(1) not in _SERVICES[service]:
            return error_answer(404, f"{GATEWAY}020", "Resource not found for segment")
        name, predicate = match.group(1), match.group(2)
        if predicate is None:
            routes: dict[str, Callable[[], httpx.Response]] = {
                "GET": lambda: self._list(name, options),
                "POST": lambda: self._create(name, _body(request)),
            }
        else:
            path = _key(name, predicate)
            change = lambda: self._change(name, path, request)  # noqa: E731 - one entry twice
            routes = {"GET": lambda: self._read(name, path, options)}
            routes |= {"PATCH": change, "MERGE": change}
        route = routes.get(request.method)
        return route() if route else error_answer(405, f"{GATEWAY}018", "Method not allowed")

    def _rows(self, name: str, tests: Sequence[tuple[str, str]]) -> Sequence[_Record]:
        """What may match; by index where a reference is asked for, all of them otherwise."""
        for field, value in tests:
            if field in _REFERENCES:
                return self._index.get((field, value), [])
        if name == "A_BusinessPartner":
            return [*self._partners.values()]
        if name == "A_SalesOrder":
            return [*self._orders.values()]
        return [item for order in self._orders.values() for item in order["to_Item"]]

    def _list(self, name: str, options: Mapping[str, str]) -> httpx.Response:
        unknown = set(options) - {"$filter", "$select", "$expand", "$top", "$format", "sap-client"}
        if unknown:
            return error_answer(400, f"{GATEWAY}022", "Invalid system query option")
        tests = _tests(name, options.get("$filter", ""))
        rows = [
            row
            for row in self._rows(name, tests)
            if all(row.get(field, "") == value for field, value in tests)
        ]
        shown = rows[: int(options["$top"])] if "$top" in options else rows
        return json_answer(
            200, {"d": {"results": [self._shown(name, row, options) for row in shown]}}
        )

    def _read(self, name: str, path: str, options: Mapping[str, str]) -> httpx.Response:
        row = self._existing(name, path)
        return json_answer(200, {"d": self._shown(name, row, options)}, {"etag": self._etag(row)})

    def _existing(self, name: str, path: str) -> _Record:
        number, _, item = path.partition("/")
        row = (self._partners if name == "A_BusinessPartner" else self._orders).get(number)
        if row is not None and item:
            row = next((each for each in row["to_Item"] if each["SalesOrderItem"] == item), None)
        if row is None:
            raise RefusalError(error_answer(404, f"{GATEWAY}020", f"Resource not found for {name}"))
        return row

    def _shown(self, name: str, row: _Record, options: Mapping[str, str]) -> _Record:
        selected = {part for part in options.get("$select", "").split(",") if part}
        expanded = {part for part in options.get("$expand", "").split(",") if part}
        if (selected | expanded) - set(TYPES[name]):
            raise RefusalError(
                error_answer(400, "/IWCOR/CX_OD_QUERY", "Property not found in entity type")
            )
        shown: _Record = {"__metadata": {"type": name, "etag": self._etag(row)}}
        for field, facet in TYPES[name].items():
            if facet.kind.startswith("A_"):
                plain = {"__deferred": {"uri": field}}
                shown[field] = plain
                if field in expanded:
                    inner = [self._shown(facet.kind, each, {}) for each in row.get(field, [])]
                    shown[field] = {"results": inner}
            elif not selected or field in selected:
                shown[field] = row.get(field, "" if facet.kind == "s" else None)
        return shown

    # --- what changes something ----------------------------------------------------------------

    def _create(self, name: str, body: _Record) -> httpx.Response:
        check(name, body, creating=True)
        if name == "A_BusinessPartner":
            row, location = self._new_partner(body)
        elif name == "A_SalesOrder":
            row, location = self._new_order(body)
        else:
            return error_answer(
                501, f"{GATEWAY}021", "Method not implemented in data provider class"
            )
        self._touch(row)
        self._remember(row)
        headers = {"location": f"{name}('{location}')", "etag": self._etag(row)}
        return json_answer(201, {"d": self._shown(name, row, {})}, headers)

    def _new_partner(self, body: _Record) -> tuple[_Record, str]:
        needed = {"1": "LastName", "2": "OrganizationBPName1"}
        category = body.get("BusinessPartnerCategory", "")
        if category not in needed:
            raise RefusalError(
                error_answer(400, "R1/104", "Business partner category does not exist")
            )
        if not body.get(needed[category]):
            raise RefusalError(error_answer(400, "R1/037", f"Enter {needed[category]}"))
        number = str(1_000_001 + len(self._partners))
        roles = {each.get("BusinessPartnerRole") for each in body.get("to_BusinessPartnerRole", [])}
        row = body | {"BusinessPartner": number}
        row["Customer"] = number if roles & {"FLCU00", "FLCU01"} else ""
        self._partners[number] = row
        return row, number

    def _new_order(self, body: _Record) -> tuple[_Record, str]:
        for field in ("SalesOrderType", "SalesOrganization", "DistributionChannel"):
            if not body.get(field):
                raise RefusalError(error_answer(400, "V1/107", f"Enter {field}"))
        if not self._partners.get(body.get("SoldToParty", ""), {}).get("Customer"):
            raise RefusalError(
                error_answer(400, "VP/204", "Sold-to party not maintained for sales area")
            )
        for item in body.get("to_Item", []):
            self._check_material(item.get("Material", ""))
        number = str(4_711 + len(self._orders))
        row: _Record = body | {"SalesOrder": number, "OverallSDDocumentRejectionSts": "A"}
        row["to_Item"] = [
            _priced(item, number, position, body.get("TransactionCurrency", ""))
            for position, item in enumerate(body.get("to_Item", []), start=1)
        ]
        row["TotalNetAmount"] = str(sum(Decimal(each["NetAmount"]) for each in row["to_Item"]))
        self._orders[number] = row
        return row, number

    def _check_material(self, material: str) -> None:
        known = material[:1].isalpha() and not material.startswith("UNKNOWN")
        if not (known if self._materials is None else material in self._materials):
            sentence = f"Material {material} is not defined for the sales organization"
            raise RefusalError(error_answer(400, "V1/302", sentence))

    def _change(self, name: str, path: str, request: httpx.Request) -> httpx.Response:
        row = self._existing(name, path)
        match = request.headers.get("if-match")
        if not match:
            return error_answer(428, f"{GATEWAY}000", "Precondition required")
        if match not in {"*", self._etag(row)}:
            return error_answer(412, f"{GATEWAY}104", "Precondition failed")
        body = _body(request)
        check(name, body, creating=False)
        self._forget(row)
        row.update(body)
        self._remember(row)
        self._touch(row)
        if "SalesDocumentRjcnReason" in body:
            self._reject(self._orders[row["SalesOrder"]])
        return httpx.Response(204)

    def _reject(self, order: _Record) -> None:
        rejected = [bool(each.get("SalesDocumentRjcnReason")) for each in order["to_Item"]]
        order["OverallSDDocumentRejectionSts"] = "C" if all(rejected) else "B"
        if all(rejected):
            self._cancelled[order["PurchaseOrderByCustomer"]] += 1

    def _remember(self, row: _Record) -> None:
        for field in _REFERENCES & row.keys():
            self._index.setdefault((field, row[field]), []).append(row)

    def _forget(self, row: _Record) -> None:
        for field in _REFERENCES & row.keys():
            self._index[field, row[field]].remove(row)

    def _touch(self, row: _Record) -> None:
        """Stamp the document: an item has no tag of its own, it shows that of its order."""
        self._changes += 1
        moment = dt.datetime.fromtimestamp(self._now, tz=dt.UTC)
        document = self._orders.get(row.get("SalesOrder", ""), row)
        if "BusinessPartner" in document:
            document["ETag"] = f"{self._user:<12}{self._changes:014d}"
        document["LastChangeDateTime"] = f"/Date({int(moment.timestamp()) * 1000}+0000)/"
        document["_change"] = f"{moment:%Y-%m-%dT%H%%3A%M%%3A%S}.{self._changes:07d}Z"

    def _etag(self, row: _Record) -> str:
        document = self._orders.get(row.get("SalesOrder", ""), row)
        if "ETag" in document:
            return f"W/\"'{document['ETag']}'\""
        return f"W/\"datetimeoffset'{document.get('_change', '')}'\""


def _external_reference(partner: _Record) -> str:
    found = (str(partner[name]) for name in _PARTNER_REFERENCES if partner.get(name))
    return next(found, "")


def _priced(item: _Record, order: str, position: int, currency: str) -> _Record:
    quantity = Decimal(item.get("RequestedQuantity", "1"))
    prices = item.get("to_PricingElement", [])
    amount = sum((Decimal(each["ConditionRateValue"]) * quantity for each in prices), Decimal(0))
    return item | {
        "SalesOrder": order,
        "SalesOrderItem": str(10 * position),
        "NetAmount": str(amount),
        "TransactionCurrency": currency,
        "SalesDocumentRjcnReason": "",
    }


def _tests(name: str, expression: str) -> list[tuple[str, str]]:
    """The comparisons of a ``$filter`` of the form ``A eq 'x' and B eq 'y'``."""
    found = []
    for part in re.split(r"\s+and\s+(?=\w+\s+eq\s)", expression) if expression else []:
        match = _TEST.fullmatch(part)
        if match is None or match.group(1) not in TYPES[name]:
            raise RefusalError(
                error_answer(400, "/IWCOR/CX_DS_EXPR", "Invalid expression in $filter")
            )
        found.append((match.group(1), match.group(2).replace("''", "'")))
    return found


def _key(name: str, predicate: str) -> str:
    keys = _KEYS[name]
    parts = dict(part.partition("=")[::2] for part in predicate.split(","))
    values = [predicate] if len(keys) == 1 and "=" not in predicate else [*map(parts.get, keys)]
    if not all(value and re.fullmatch(r"'[^']*'", value) for value in values):
        raise RefusalError(error_answer(400, f"{GATEWAY}026", "Invalid key predicate"))
    return "/".join(str(value)[1:-1] for value in values)


def _cookie(header: str) -> str:
    for pair in header.split(";"):
        name, _, value = pair.strip().partition("=")
        if name.startswith("SAP_SESSIONID_"):
            return value
    return ""


def _body(request: httpx.Request) -> _Record:
    try:
        body = msgspec.json.decode(request.read())
    except msgspec.DecodeError:
        body = None
    if not isinstance(body, dict):
        raise RefusalError(error_answer(400, f"{GATEWAY}035", "Malformed request body"))
    return body
