"""SAP S/4HANA in memory: the two OData V2 services with logon, tokens, locks and entity tags.

It is strict where SAP is strict: unknown properties, too long values, tokens of another session
and stale entity tags are refused. It is as careless as SAP where SAP is careless: the same
customer reference may come twice, which is why ``effects`` counts.

Source: metadata of API_BUSINESS_PARTNER and API_SALES_ORDER_SRV, read 2026-11 (a test compares
``_SCHEMA`` with it). Message numbers are invented, their shape is SAP's.
"""

import base64
import datetime as dt
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, Final
from urllib.parse import parse_qsl, unquote

import httpx
import msgspec

_ROOT: Final = "/sap/opu/odata/sap/"
_FRAMEWORK: Final = "/IWFND/MED/170"
_GATEWAY: Final = "/IWBEP/CM_MGW_RT/"

# Per entity type its properties with their length, "*" for keys, "-" for what only SAP writes;
# "d" is a date, "n" a decimal, "b" a boolean. Navigations name their target, "[]" for many.
_SCHEMA: Final = {
    "A_BusinessPartner": """
        BusinessPartner:10* Customer:10- BusinessPartnerCategory:1 BusinessPartnerGrouping:4
        CorrespondenceLanguage:2 FirstName:40 MiddleName:40 LastName:40 AdditionalLastName:40
        OrganizationBPName1:40 OrganizationBPName2:40 OrganizationBPName3:40 OrganizationBPName4:40
        SearchTerm1:20 SearchTerm2:20 BirthDate:d BusinessPartnerIDByExtSystem:20 ETag:26-
        BusinessPartnerIsBlocked:b to_BusinessPartnerAddress:A_BusinessPartnerAddress[]
        to_BusinessPartnerRole:A_BusinessPartnerRole[]
        to_BusinessPartnerTax:A_BusinessPartnerTaxNumber[] to_Customer:A_Customer
    """,
    "A_BusinessPartnerAddress": """
        BusinessPartner:10* AddressID:10* StreetName:60 StreetPrefixName:40 StreetSuffixName:40
        AdditionalStreetSuffixName:40 HouseNumber:10 HouseNumberSupplementText:10 PostalCode:10
        CityName:40 Country:3 Region:3 Language:2 to_AddressUsage:A_BuPaAddressUsage[]
        to_EmailAddress:A_AddressEmailAddress[] to_PhoneNumber:A_AddressPhoneNumber[]
    """,
    "A_BuPaAddressUsage": "BusinessPartner:10* AddressID:10* AddressUsage:10* StandardUsage:b",
    "A_AddressEmailAddress": """
        AddressID:10* Person:10* OrdinalNumber:3* EmailAddress:241 IsDefaultEmailAddress:b
    """,
    "A_AddressPhoneNumber": """
        AddressID:10* Person:10* OrdinalNumber:3* DestinationLocationCountry:3 PhoneNumber:30
        IsDefaultPhoneNumber:b
    """,
    "A_BusinessPartnerRole": "BusinessPartner:10* BusinessPartnerRole:6*",
    "A_BusinessPartnerTaxNumber": "BusinessPartner:10* BPTaxType:4* BPTaxNumber:20",
    "A_Customer": "Customer:10* to_CustomerSalesArea:A_CustomerSalesArea[]",
    "A_CustomerSalesArea": """
        Customer:10* SalesOrganization:4* DistributionChannel:2* Division:2* Currency:5
        CustomerPaymentTerms:4 CustomerGroup:2 CustomerPricingProcedure:2 ShippingCondition:2
    """,
    "A_SalesOrder": """
        SalesOrder:10* SalesOrderType:4 SalesOrganization:4 DistributionChannel:2
        OrganizationDivision:2 SoldToParty:10 PurchaseOrderByCustomer:35
        PurchaseOrderByShipToParty:35 TransactionCurrency:5 TotalNetAmount:n-
        LastChangeDateTime:d- OverallSDDocumentRejectionSts:1- to_Item:A_SalesOrderItem[]
    """,
    "A_SalesOrderItem": """
        SalesOrder:10- SalesOrderItem:6* Material:40 SalesOrderItemText:40 RequestedQuantity:n
        RequestedQuantityUnit:3 NetAmount:n- TransactionCurrency:5- SalesDocumentRjcnReason:2
        to_PricingElement:A_SalesOrderItemPrElement[]
    """,
    "A_SalesOrderItemPrElement": """
        SalesOrder:10- SalesOrderItem:6- PricingProcedureStep:3* PricingProcedureCounter:3*
        ConditionType:4 ConditionRateValue:n ConditionCurrency:5 ConditionQuantity:n
        ConditionQuantityUnit:3
    """,
}
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
_DATE: Final = re.compile(r"/Date\(-?\d+\)/")

_Record = dict[str, Any]


class _Facet(msgspec.Struct, frozen=True):
    kind: str  # "s", "d", "n", "b", or the target of a navigation
    length: int = 0
    key: bool = False
    writable: bool = True
    many: bool = False


def _facets(lines: str) -> dict[str, _Facet]:
    table = {}
    for word in lines.split():
        name, _, rest = word.partition(":")
        plain = rest.rstrip("*-")
        if plain.startswith("A_"):
            table[name] = _Facet(plain.removesuffix("[]"), many=plain.endswith("[]"))
            continue
        kind = "s" if plain.isdigit() else plain
        length = int(plain) if plain.isdigit() else 0
        table[name] = _Facet(kind, length, key="*" in rest, writable="-" not in rest)
    return table


_TYPES: Final = {name: _facets(lines) for name, lines in _SCHEMA.items()}


class _RefusalError(Exception):
    """An error answer on its way out."""

    def __init__(self, response: httpx.Response) -> None:
        super().__init__()
        self.response = response


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
        except _RefusalError as refusal:
            return refusal.response

    def refuse(self, request: httpx.Request, status: int) -> httpx.Response:  # noqa: ARG002
        """The error with this status in SAP's words; a 403 here is a missing authorization."""
        if status in _PAGES:
            return _page(status, _PAGES[status])
        code, sentence = _WORDS.get(status, ("V1/000", "The document could not be processed"))
        return _error(status, code, sentence)

    def due(self, *, now: float) -> Sequence[httpx.Request]:  # noqa: ARG002
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
            return _page(401, _PAGES[401], {"WWW-Authenticate": f'Basic realm="S4H/{client}"'})
        service, slash, resource = request.url.path.removeprefix(_ROOT).partition("/")
        if not request.url.path.startswith(_ROOT) or service not in _SERVICES:
            return _error(404, _FRAMEWORK, f"No service found for name '{service}'")
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
            raise _RefusalError(httpx.Response(403, headers=headers, text=text))
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
            return _error(405, f"{_GATEWAY}018", "Method not allowed")
        if not slash:
            return httpx.Response(307, headers={"location": f"{request.url.path}/"})
        return _json(200, {"d": {"EntitySets": []}}, headers)

    # --- the services --------------------------------------------------------------------------

    def _serve(
        self, service: str, resource: str, options: Mapping[str, str], request: httpx.Request
    ) -> httpx.Response:
        match = _SEGMENT.fullmatch(unquote(resource))
        if match is None or match.group(1) not in _SERVICES[service]:
            return _error(404, f"{_GATEWAY}020", "Resource not found for segment")
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
        return route() if route else _error(405, f"{_GATEWAY}018", "Method not allowed")

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
            return _error(400, f"{_GATEWAY}022", "Invalid system query option")
        tests = _tests(name, options.get("$filter", ""))
        rows = [
            row
            for row in self._rows(name, tests)
            if all(row.get(field, "") == value for field, value in tests)
        ]
        shown = rows[: int(options["$top"])] if "$top" in options else rows
        return _json(200, {"d": {"results": [self._shown(name, row, options) for row in shown]}})

    def _read(self, name: str, path: str, options: Mapping[str, str]) -> httpx.Response:
        row = self._existing(name, path)
        return _json(200, {"d": self._shown(name, row, options)}, {"etag": self._etag(row)})

    def _existing(self, name: str, path: str) -> _Record:
        number, _, item = path.partition("/")
        row = (self._partners if name == "A_BusinessPartner" else self._orders).get(number)
        if row is not None and item:
            row = next((each for each in row["to_Item"] if each["SalesOrderItem"] == item), None)
        if row is None:
            raise _RefusalError(_error(404, f"{_GATEWAY}020", f"Resource not found for {name}"))
        return row

    def _shown(self, name: str, row: _Record, options: Mapping[str, str]) -> _Record:
        selected = {part for part in options.get("$select", "").split(",") if part}
        expanded = {part for part in options.get("$expand", "").split(",") if part}
        if (selected | expanded) - set(_TYPES[name]):
            raise _RefusalError(
                _error(400, "/IWCOR/CX_OD_QUERY", "Property not found in entity type")
            )
        shown: _Record = {"__metadata": {"type": name, "etag": self._etag(row)}}
        for field, facet in _TYPES[name].items():
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
        _check(name, body, creating=True)
        if name == "A_BusinessPartner":
            row, location = self._new_partner(body)
        elif name == "A_SalesOrder":
            row, location = self._new_order(body)
        else:
            return _error(501, f"{_GATEWAY}021", "Method not implemented in data provider class")
        self._touch(row)
        self._remember(row)
        headers = {"location": f"{name}('{location}')", "etag": self._etag(row)}
        return _json(201, {"d": self._shown(name, row, {})}, headers)

    def _new_partner(self, body: _Record) -> tuple[_Record, str]:
        needed = {"1": "LastName", "2": "OrganizationBPName1"}
        category = body.get("BusinessPartnerCategory", "")
        if category not in needed:
            raise _RefusalError(_error(400, "R1/104", "Business partner category does not exist"))
        if not body.get(needed[category]):
            raise _RefusalError(_error(400, "R1/037", f"Enter {needed[category]}"))
        number = str(1_000_001 + len(self._partners))
        roles = {each.get("BusinessPartnerRole") for each in body.get("to_BusinessPartnerRole", [])}
        row = body | {"BusinessPartner": number}
        row["Customer"] = number if roles & {"FLCU00", "FLCU01"} else ""
        self._partners[number] = row
        return row, number

    def _new_order(self, body: _Record) -> tuple[_Record, str]:
        for field in ("SalesOrderType", "SalesOrganization", "DistributionChannel"):
            if not body.get(field):
                raise _RefusalError(_error(400, "V1/107", f"Enter {field}"))
        if not self._partners.get(body.get("SoldToParty", ""), {}).get("Customer"):
            raise _RefusalError(
                _error(400, "VP/204", "Sold-to party not maintained for sales area")
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
            raise _RefusalError(_error(400, "V1/302", sentence))

    def _change(self, name: str, path: str, request: httpx.Request) -> httpx.Response:
        row = self._existing(name, path)
        match = request.headers.get("if-match")
        if not match:
            return _error(428, f"{_GATEWAY}000", "Precondition required")
        if match not in {"*", self._etag(row)}:
            return _error(412, f"{_GATEWAY}104", "Precondition failed")
        body = _body(request)
        _check(name, body, creating=False)
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


def _check(name: str, body: _Record, *, creating: bool) -> None:
    """Refuse what the metadata document does not allow; deep inserts arrive as plain lists."""
    for field, value in body.items():
        facet = _TYPES[name].get(field)
        if facet is None:
            raise _RefusalError(
                _error(400, "/IWCOR/CX_DS_EP_PROPERTY", f"Property {field} is invalid for {name}")
            )
        if facet.kind.startswith("A_"):
            body[field] = _children(facet, value)
            for child in body[field]:
                _check(facet.kind, child, creating=creating)
        elif not facet.writable or (facet.key and not creating):
            raise _RefusalError(
                _error(400, f"{_GATEWAY}027", f"Property {field} cannot be written")
            )
        elif not _fits(facet, value):
            raise _RefusalError(
                _error(400, "/IWCOR/CX_DS_EDM_FACET", f"Property {field} has an invalid value")
            )


def _children(facet: _Facet, value: Any) -> list[_Record]:
    rows = [value] if isinstance(value, dict) and not facet.many else value
    rows = rows.get("results") if isinstance(rows, dict) else rows
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise _RefusalError(_error(400, f"{_GATEWAY}035", "Malformed deep insert"))
    return rows


def _fits(facet: _Facet, value: Any) -> bool:
    if facet.kind == "b":
        return isinstance(value, bool)
    if not isinstance(value, str):
        return False
    if facet.kind == "s":
        return len(value) <= facet.length
    if facet.kind == "d":
        return _DATE.fullmatch(value) is not None
    try:
        return Decimal(value).is_finite()
    except InvalidOperation:
        return False


def _tests(name: str, expression: str) -> list[tuple[str, str]]:
    """The comparisons of a ``$filter`` of the form ``A eq 'x' and B eq 'y'``."""
    found = []
    for part in re.split(r"\s+and\s+(?=\w+\s+eq\s)", expression) if expression else []:
        match = _TEST.fullmatch(part)
        if match is None or match.group(1) not in _TYPES[name]:
            raise _RefusalError(_error(400, "/IWCOR/CX_DS_EXPR", "Invalid expression in $filter"))
        found.append((match.group(1), match.group(2).replace("''", "'")))
    return found


def _key(name: str, predicate: str) -> str:
    keys = _KEYS[name]
    parts = dict(part.partition("=")[::2] for part in predicate.split(","))
    values = [predicate] if len(keys) == 1 and "=" not in predicate else [*map(parts.get, keys)]
    if not all(value and re.fullmatch(r"'[^']*'", value) for value in values):
        raise _RefusalError(_error(400, f"{_GATEWAY}026", "Invalid key predicate"))
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
        raise _RefusalError(_error(400, f"{_GATEWAY}035", "Malformed request body"))
    return body


def _json(status: int, content: Any, headers: Mapping[str, str] | None = None) -> httpx.Response:
    head = {"content-type": "application/json", "dataserviceversion": "2.0"} | dict(headers or {})
    return httpx.Response(status, headers=head, content=msgspec.json.encode(content))


def _error(status: int, code: str, sentence: str) -> httpx.Response:
    detail = {"code": code, "message": sentence, "severity": "error", "target": ""}
    inner = {
        "application": {"component_id": "SD-SLS", "service_namespace": "/SAP/"},
        "transactionid": "6F1E2D3C4B5A69788796A5B4C3D2E1F0",
        "errordetails": [detail],
    }
    message = {"lang": "en", "value": sentence}
    return _json(status, {"error": {"code": code, "message": message, "innererror": inner}})


def _page(status: int, title: str, headers: Mapping[str, str] | None = None) -> httpx.Response:
    head = {"content-type": "text/html; charset=utf-8"} | dict(headers or {})
    text = f"<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>"
    return httpx.Response(status, headers=head, text=text)


_PAGES: Final = {
    401: "Logon failed",
    502: "Bad Gateway",
    503: "Service Unavailable: no dialog work process available",
    504: "Gateway Timeout",
}
_WORDS: Final = {
    403: (_FRAMEWORK, "No authorization to access service"),
    404: (f"{_GATEWAY}020", "Resource not found for segment"),
    409: ("V1/501", "Document already exists"),
    412: (f"{_GATEWAY}104", "Precondition failed"),
    423: ("/IWBEP/CX_MGW_BUSI_EXCEPTION", "Document is locked by user MEIER"),
    428: (f"{_GATEWAY}000", "Precondition required"),
    429: ("429", "Too many requests"),
    500: ("/IWBEP/CX_MGW_TECH_EXCEPTION", "An exception was raised"),
}
