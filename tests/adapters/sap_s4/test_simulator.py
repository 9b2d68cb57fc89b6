"""The simulator refuses what SAP refuses, and knows no field that SAP does not know."""

from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from lxml import etree

from adapters.sap_s4 import Settings
from adapters.sap_s4.simulator import SapS4Simulator
from adapters.sap_s4.simulator_schema import TYPES
from adapters.sap_s4.wire import Wire

_PARTNERS = "API_BUSINESS_PARTNER/A_BusinessPartner"
_ORDERS = "API_SALES_ORDER_SRV/A_SalesOrder"
_NOW = 1_772_442_000.0
_PARTNER = {
    "BusinessPartnerCategory": "2",
    "OrganizationBPName1": "Wasser AG",
    "BusinessPartnerIDByExtSystem": "HR1",
    "to_BusinessPartnerRole": {"results": [{"BusinessPartnerRole": "FLCU01"}]},
}
_ORDER = {
    "SalesOrderType": "OR",
    "SalesOrganization": "1710",
    "DistributionChannel": "10",
    "SoldToParty": "1000001",
    "PurchaseOrderByCustomer": "abc",
    "to_Item": [{"Material": "M1", "RequestedQuantity": "2"}],
}


class Client:
    """Requests by hand, with a session or without."""

    def __init__(self, settings: Settings, simulator: SapS4Simulator) -> None:
        self.wire = Wire(settings)
        self.simulator = simulator
        self.session: dict[str, str] = {}

    def send(self, request: httpx.Request, *, now: float = _NOW, **headers: str) -> httpx.Response:
        """Send, with the session's headers and the given ones."""
        request.headers.update(self.session | headers)
        return self.simulator.handle(request, now=now)

    def fetch(self, *, now: float = _NOW) -> dict[str, str]:
        """A new session; the old one is not shown."""
        kept, self.session = self.session, {}
        answer = self.send(self.wire.fetch_token("API_SALES_ORDER_SRV/", "HEAD"), now=now)
        self.session = kept
        cookie = answer.headers["set-cookie"].partition(";")[0]
        return {"X-CSRF-Token": answer.headers["x-csrf-token"], "Cookie": cookie}

    def read(self, path: str, **options: str) -> httpx.Response:
        """A GET with system query options."""
        return self.send(self.wire.read(path, {f"${k}": v for k, v in options.items()}))

    def write(self, path: str, body: Any, *, match: str = "") -> httpx.Response:
        """A POST, or a PATCH where an entity tag is given."""
        method = "PATCH" if "(" in path else "POST"
        return self.send(self.wire.write(method, path, body, key="k", match=match))


@pytest.fixture
def client(settings: Settings, simulator: SapS4Simulator) -> Client:
    made = Client(settings, simulator)
    made.session = made.fetch()
    return made


def _code(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json()["error"]["code"]


def test_schema_is_saps(contracts: Path) -> None:
    """Every property of the simulator has the key, length and writability of the real one."""
    kinds = {"d": ("Edm.DateTime", "Edm.DateTimeOffset"), "n": ("Edm.Decimal",)}
    kinds |= {"b": ("Edm.Boolean",), "s": ("Edm.String",)}
    real: dict[str, etree._Element] = {}
    for name in ("API_BUSINESS_PARTNER", "API_SALES_ORDER_SRV"):
        root = etree.parse(contracts / "odata-v2" / f"{name}.edmx").getroot()
        real |= {each.get("Name"): each for each in root.iter("{*}EntityType")}
    creatable = "{http://www.sap.com/Protocols/SAPData}creatable"
    for entity, facets in TYPES.items():
        kind = real[f"{entity}Type"]
        properties = {each.get("Name"): each for each in kind.iterfind("{*}Property")}
        navigations = {each.get("Name") for each in kind.iterfind("{*}NavigationProperty")}
        keys = {each.get("Name") for each in kind.iterfind("{*}Key/{*}PropertyRef")}
        for name, facet in facets.items():
            where = f"{entity}/{name}"
            if facet.kind.startswith("A_"):
                assert name in navigations, where
                continue
            assert properties[name].get("Type") in kinds[facet.kind], where
            assert int(properties[name].get("MaxLength", "0")) == facet.length, where
            assert (properties[name].get(creatable) != "false") == facet.writable, where
            assert (name in keys and facet.writable) == facet.key, where


def test_logon(settings: Settings, simulator: SapS4Simulator) -> None:
    """A wrong password and a wrong client get the logon page."""
    for other in ({"password": "wrong"}, {"client": "200"}):
        stranger = Client(msgspec.structs.replace(settings, **other), simulator)
        response = stranger.read(_ORDERS)
        assert response.status_code == 401
        assert "text/html" in response.headers["content-type"]


def test_token_belongs_to_its_cookie(client: Client) -> None:
    """The token of one session with the cookie of another is refused."""
    other = client.fetch()

    mixed = client.send(
        client.wire.write("POST", _PARTNERS, _PARTNER, key="k"), Cookie=other["Cookie"]
    )

    assert (mixed.status_code, mixed.headers["x-csrf-token"]) == (403, "Required")
    assert client.simulator.effects()["business_partner"] == {}


def test_token_ends(client: Client) -> None:
    """A token lives so long and not longer."""
    request = client.wire.write("POST", _PARTNERS, _PARTNER, key="k")

    assert client.send(request, now=_NOW + 1800).status_code == 403
    assert client.send(request, now=_NOW + 1799).status_code == 201


def test_write_without_token(client: Client) -> None:
    """Nothing is written without a token."""
    client.session = {}

    assert client.write(_PARTNERS, _PARTNER).status_code == 403


def test_same_session_same_token(client: Client) -> None:
    """Asking again within a session gives the token it has."""
    again = client.send(client.wire.fetch_token("API_SALES_ORDER_SRV/", "GET"), **{
        "X-CSRF-Token": "fetch"
    })  # fmt: skip

    assert client.session["X-CSRF-Token"] == again.headers["x-csrf-token"]
    assert "set-cookie" not in again.headers


def test_service_without_slash_redirects(client: Client) -> None:
    """S/4 redirects the service document; unknown services are the framework's to refuse."""
    assert client.read("API_SALES_ORDER_SRV").status_code == 307
    assert client.read("API_SALES_ORDER_SRV/").status_code == 200
    document = client.wire.write("POST", "API_SALES_ORDER_SRV/", {}, key="k")
    assert client.send(document).status_code == 405
    assert _code(client.read("API_X/A")) == (404, "/IWFND/MED/170")
    assert client.read("API_SALES_ORDER_SRV/A_Unknown").status_code == 404


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        (_PARTNERS, _PARTNER | {"Nickname": "x"}, "/IWCOR/CX_DS_EP_PROPERTY"),
        (_PARTNERS, _PARTNER | {"OrganizationBPName1": "x" * 41}, "/IWCOR/CX_DS_EDM_FACET"),
        (_PARTNERS, _PARTNER | {"BirthDate": "1990-01-01"}, "/IWCOR/CX_DS_EDM_FACET"),
        (_PARTNERS, _PARTNER | {"BusinessPartnerIsBlocked": "X"}, "/IWCOR/CX_DS_EDM_FACET"),
        (_PARTNERS, _PARTNER | {"Customer": "1"}, "/IWBEP/CM_MGW_RT/027"),
        (_PARTNERS, _PARTNER | {"to_BusinessPartnerRole": "FLCU01"}, "/IWBEP/CM_MGW_RT/035"),
        (_PARTNERS, {"BusinessPartnerCategory": "1", "FirstName": "Ada"}, "R1/037"),
        (_PARTNERS, {"LastName": "Ada"}, "R1/104"),
        (_PARTNERS, None, "/IWBEP/CM_MGW_RT/035"),
        (_PARTNERS, [], "/IWBEP/CM_MGW_RT/035"),
        (_ORDERS, _ORDER | {"to_Item": [{"Material": "UNKNOWN-1"}]}, "V1/302"),
        (_ORDERS, _ORDER | {"to_Item": [{"RequestedQuantity": 2}]}, "/IWCOR/CX_DS_EDM_FACET"),
        (_ORDERS, _ORDER | {"to_Item": [{"RequestedQuantity": "x"}]}, "/IWCOR/CX_DS_EDM_FACET"),
        (_ORDERS, _ORDER | {"SoldToParty": "999"}, "VP/204"),
        (_ORDERS, _ORDER | {"SalesOrderType": ""}, "V1/107"),
    ],
)
def test_refused_bodies(client: Client, path: str, body: Any, code: str) -> None:
    """What SAP would refuse is refused, and nothing is left behind."""
    client.write(_PARTNERS, _PARTNER)

    assert (400, code) == _code(client.write(path, body))
    assert client.simulator.effects()["sales_order"] == {}
    assert client.simulator.effects()["business_partner"] == {"HR1": 1}


def test_business_partner_without_customer_role_buys_nothing(client: Client) -> None:
    """Only a customer can be a sold-to party."""
    client.write(_PARTNERS, {k: v for k, v in _PARTNER.items() if not k.startswith("to_")})

    assert _code(client.write(_ORDERS, _ORDER)) == (400, "VP/204")


def test_given_materials(settings: Settings) -> None:
    """With a list of materials no other is known."""
    system = SapS4Simulator(
        user=settings.user, password=settings.password, materials=frozenset({"M1"})
    )
    client = Client(settings, system)
    client.session = client.fetch()
    client.write(_PARTNERS, _PARTNER)

    assert client.write(_ORDERS, _ORDER).status_code == 201
    assert client.write(_ORDERS, _ORDER | {"to_Item": [{"Material": "M2"}]}).status_code == 400


def test_order_is_numbered_and_priced(client: Client) -> None:
    """Items count in tens, the total is the sum of price times quantity."""
    price = {"ConditionType": "PR01", "ConditionRateValue": "10.05", "ConditionCurrency": "EUR"}
    item = {"Material": "M1", "RequestedQuantity": "2", "to_PricingElement": [price]}
    client.write(_PARTNERS, _PARTNER)
    client.write(_ORDERS, _ORDER | {"to_Item": [item, item]})

    order = client.read(f"{_ORDERS}('4711')", expand="to_Item").json()["d"]

    assert [each["SalesOrderItem"] for each in order["to_Item"]["results"]] == ["10", "20"]
    assert order["TotalNetAmount"] == "40.20"


def test_same_reference_twice_is_accepted(client: Client) -> None:
    """SAP does not check customer references; the double shows in the effects."""
    client.write(_PARTNERS, _PARTNER)
    client.write(_ORDERS, _ORDER)
    client.write(_ORDERS, _ORDER)

    found = client.read(_ORDERS, filter="PurchaseOrderByCustomer eq 'abc'", top="5")

    assert [each["SalesOrder"] for each in found.json()["d"]["results"]] == ["4711", "4712"]
    assert client.simulator.effects()["sales_order"] == {"abc": 2}


def test_filters(client: Client) -> None:
    """Comparisons joined by ``and`` select; an unknown property or another form is refused."""
    client.write(_PARTNERS, _PARTNER | {"OrganizationBPName1": "Wasser and 'Wind'"})
    both = "BusinessPartnerCategory eq '2' and OrganizationBPName1 eq 'Wasser and ''Wind'''"

    assert len(client.read(_ORDERS).json()["d"]["results"]) == 0
    assert len(client.read(_ORDERS + "Item").json()["d"]["results"]) == 0
    assert len(client.read(_PARTNERS, filter=both).json()["d"]["results"]) == 1
    assert client.read(_PARTNERS, filter="LastName eq 'x'").json() == {"d": {"results": []}}
    assert client.read(_PARTNERS, filter="Nickname eq 'x'").status_code == 400
    assert client.read(_PARTNERS, filter="startswith(LastName,'x')").status_code == 400
    assert client.read(_PARTNERS, select="Nickname").status_code == 400
    assert client.read(_PARTNERS, search="x").status_code == 400


def test_changes_need_the_current_entity_tag(client: Client) -> None:
    """Without If-Match 428, with an old one 412, and a change makes a new one."""
    tag = client.write(_PARTNERS, _PARTNER).headers["etag"]
    path, body = f"{_PARTNERS}('1000001')", {"OrganizationBPName1": "Wind AG"}

    assert client.write(path, body).status_code == 428
    assert client.write(path, body, match=tag).status_code == 204
    assert client.write(path, body, match=tag).status_code == 412
    assert client.write(path, {"BusinessPartner": "1"}, match="*").status_code == 400


def test_item_shares_the_tag_of_its_order(client: Client) -> None:
    """Rejecting one item makes the tag of all others old; the last one cancels the order."""
    client.write(_PARTNERS, _PARTNER)
    tag = client.write(_ORDERS, _ORDER | {"to_Item": [{"Material": "M1"}] * 2}).headers["etag"]
    reason = {"SalesDocumentRjcnReason": "00"}
    items = [f"{_ORDERS}Item(SalesOrder='4711',SalesOrderItem='{n}')" for n in (10, 20)]

    assert client.write(items[0], reason, match=tag).status_code == 204
    assert client.simulator.effects()["sales_order_cancelled"] == {}
    assert client.write(items[1], reason, match=tag).status_code == 412
    assert client.write(items[1], reason, match="*").status_code == 204
    assert client.simulator.effects()["sales_order_cancelled"] == {"abc": 1}


def test_body_that_is_no_json(client: Client) -> None:
    """Half a body is refused as such."""
    request = client.wire.write("POST", _PARTNERS, {}, key="k")
    broken = httpx.Request("POST", request.url, headers=request.headers, content=b"{")

    assert _code(client.send(broken)) == (400, "/IWBEP/CM_MGW_RT/035")


def test_sap_calls_nobody(client: Client) -> None:
    """There are no webhooks, and no service outside the two."""
    assert client.simulator.due(now=_NOW) == ()


def test_missing_entities_and_methods(client: Client) -> None:
    """Keys that lead nowhere, malformed keys and other methods are refused."""
    assert client.read(f"{_ORDERS}('1')").status_code == 404
    assert client.read(f"{_ORDERS}(1)").status_code == 400
    assert client.send(client.wire.write("DELETE", _ORDERS, {}, key="k")).status_code == 405
    assert client.write(f"{_ORDERS}Item", {"Material": "M1"}).status_code == 501


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 412, 423, 428, 429, 500, 503])
def test_refusals(client: Client, status: int) -> None:
    """A fault is told in SAP's words: a page from the ICM, JSON from a service."""
    response = client.simulator.refuse(client.wire.read(_ORDERS), status)

    assert status == response.status_code
    page = status in {401, 503}
    assert ("html" if page else "json") in response.headers["content-type"]
