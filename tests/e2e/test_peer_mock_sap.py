"""The SAP adapter against mock-sap, which nobody here wrote.

What mock-sap needs different from a real system stands in ``settings`` below, and nowhere else.
It has no rejection reason on items, so cancelling is proved against the simulator only.
"""

import threading
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import httpx
import msgspec
import pytest
import requests

from adapters.sap_s4 import ADAPTER, Settings
from gateway.errors import InDoubt, Misconfigured, Unavailable
from gateway.kit.blocking import Send, over_requests, run, with_login
from gateway.model.identifiers import new_id
from gateway.model.instruction import PaymentInstruction
from gateway.model.item import OrderItem
from gateway.model.money import Money
from gateway.model.order import Channel, Order, OrderState
from gateway.model.party import Address, Party, PartyKind
from gateway.ports.erp import Erp

mocksap = pytest.importorskip("mocksap", reason="mock-sap is not installed")
pytestmark = pytest.mark.peers


class Peer:
    """A running mock-sap and a sender to it."""

    def __init__(self, address: str, session: requests.Session) -> None:
        self.address = address
        self.session = session
        self.wire = over_requests(session, timeout_s=10)

    def control(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Its control plane."""
        answer = self.session.request(method, f"{self.address}/_mock/{path}", json=body, timeout=10)
        answer.raise_for_status()
        return answer.json()

    def received(self, path: str) -> list[str]:
        """Methods and states of what arrived under a path, oldest first."""
        rows = self.control("GET", "requests?limit=200")["results"]
        found = [each for each in rows if path in each["path"]]
        return [f"{each['method']} {each['status']}" for each in reversed(found)]


@pytest.fixture(scope="module")
def running() -> Iterator[str]:
    config = mocksap.Config(
        port=0,
        db_path=":memory:",
        basic_auth="HEADRACE:invented",
        require_if_match=True,
        quiet=True,
    )
    server = mocksap.make_server(config)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join(timeout=10)
    server.server_close()
    server.mock.close()


@pytest.fixture
def peer(running: str) -> Iterator[Peer]:
    with requests.Session() as session:
        made = Peer(running, session)
        made.control("POST", "reset")
        yield made


@pytest.fixture
def settings(running: str) -> Settings:
    return Settings(
        base_url=running,
        user="HEADRACE",
        password="invented",
        client="100",
        business_partner_service="API_BUSINESS_PARTNER_SRV",
        reference_field="SearchTerm1",
        sales_organization="1710",
        distribution_channel="10",
        division="00",
        left_out=frozenset(
            """
            CorrespondenceLanguage BirthDate MiddleName AdditionalLastName OrganizationBPName2
            OrganizationBPName3 OrganizationBPName4 PurchaseOrderByShipToParty
            to_BusinessPartnerAddress to_BusinessPartnerTax to_Customer
            """.split()
        ),
    )


@pytest.fixture
def erp(settings: Settings) -> Erp:
    return ADAPTER.ports["erp"](settings)


@pytest.fixture
def send(peer: Peer, settings: Settings) -> Send:
    return with_login(ADAPTER, settings, peer.wire)


@pytest.fixture
def party() -> Party:
    return Party(
        party_id=f"C-{new_id()}",
        kind=PartyKind.ORGANISATION,
        names=("O'Neil & Söhne GmbH",),
        addresses=(Address(line1="Weg 1", postal_code="10117", city="Berlin", country="DE"),),
    )


@pytest.fixture
def order(party: Party) -> Order:
    item = OrderItem(product_id="MAT-1", quantity=2, unit_price=Money(1_050, "EUR"))
    return Order(
        order_id=new_id(),
        state=OrderState.ACCEPTED,
        channel=Channel.SME,
        kind="PURCHASE",
        party=party,
        items=(item, item),
        total=Money(4_200, "EUR"),
        payment=PaymentInstruction(method_code="card", token="tok_1"),
        reference="",
        note=None,
        submitted_at="2026-03-02T09:00:00Z",
        payment_id=new_id(),
    )


def _breaking(send: Send, method: str) -> Send:
    """The connection breaks after the request with this method has been served."""

    def sender(request: httpx.Request) -> httpx.Response:
        response = send(request)
        if request.method == method:
            raise InDoubt("The connection broke before an answer came.", code="broken")
        return response

    return sender


def test_partner_and_order_are_made_once(
    peer: Peer, erp: Erp, send: Send, party: Party, order: Order
) -> None:
    """Both verbs work with a real CSRF check, and a repetition finds what was made."""
    partner = run(erp.upsert_business_partner(party, key="k-1"), send)
    made = run(erp.create_sales_order(order, partner.external_id, key="k-2"), send)
    again = run(erp.create_sales_order(order, partner.external_id, key="k-2"), send)

    assert (partner.created, made.created, again.created) == (True, True, False)
    assert made.external_id == again.external_id == made.external_id.lstrip("0")
    assert peer.received("A_SalesOrder") == ["GET 200", "POST 201", "GET 200"]


def test_prices_and_items_arrive(
    peer: Peer, erp: Erp, send: Send, party: Party, order: Order, settings: Settings
) -> None:
    """Items, quantities and price conditions of the deep insert can be read back."""
    partner = run(erp.upsert_business_partner(party, key="k-1"), send)
    run(erp.create_sales_order(order, partner.external_id, key="k-2"), send)
    path = "/sap/opu/odata/sap/API_SALES_ORDER_SRV/A_SalesOrder"
    reference = order.order_id.replace("-", "")

    found = peer.session.get(
        f"{settings.base_url}{path}",
        params={
            "$filter": f"PurchaseOrderByCustomer eq '{reference}'",
            "$expand": "to_Item/to_PricingElement",
        },
        auth=(settings.user, settings.password),
        headers={"Accept": "application/json"},
        timeout=10,
    ).json()["d"]["results"]

    items = found[0]["to_Item"]["results"]
    price = items[0]["to_PricingElement"]["results"][0]
    assert [Decimal(each["RequestedQuantity"]) for each in items] == [2, 2]
    assert (Decimal(price["ConditionRateValue"]), price["ConditionType"]) == (
        Decimal("10.50"),
        "PR01",
    )
    assert found[0]["SoldToParty"] == partner.external_id


def test_refused_token_is_fetched_again(peer: Peer, erp: Erp, send: Send, party: Party) -> None:
    """When the peer forgets all tokens, one refusal, one new token and one write follow."""
    run(erp.find_business_partner("nobody"), send)
    peer.control("POST", "reset")

    made = run(erp.upsert_business_partner(party, key="k-1"), send)

    assert made.created
    assert peer.received("A_BusinessPartner")[-2:] == ["POST 403", "POST 201"]


def test_changed_name(peer: Peer, erp: Erp, send: Send, party: Party) -> None:
    """A changed name is written under If-Match, which the peer demands."""
    run(erp.upsert_business_partner(party, key="k-1"), send)
    renamed = msgspec.structs.replace(party, names=("Neu GmbH",))

    run(erp.upsert_business_partner(renamed, key="k-2"), send)
    run(erp.upsert_business_partner(renamed, key="k-3"), send)

    assert [each for each in peer.received("A_BusinessPartner") if "PATCH" in each] == ["PATCH 204"]


@pytest.mark.parametrize(
    ("scenario", "code", "retry_after_s"),
    [("lock", "locked", None), ("busy", "system_unavailable", 30.0)],
)
def test_lock_and_busy(
    peer: Peer,
    erp: Erp,
    send: Send,
    party: Party,
    scenario: str,
    code: str,
    retry_after_s: float | None,
) -> None:
    """Nothing happened, and the next attempt succeeds."""
    fault = {"match": "A_BusinessPartner", "method": "POST", "scenario": scenario, "count": 1}
    peer.control("POST", "faults", fault)

    with pytest.raises(Unavailable) as caught:
        run(erp.upsert_business_partner(party, key="k-1"), send)

    assert (code, retry_after_s) == (caught.value.code, caught.value.retry_after_s)
    assert run(erp.upsert_business_partner(party, key="k-1"), send).created


@pytest.mark.parametrize("verb", ["business_partner", "sales_order"])
def test_lost_answer_is_found(
    peer: Peer, erp: Erp, send: Send, settings: Settings, order: Order, verb: str
) -> None:
    """What was made while the answer got lost is found, and not made again."""
    broken = with_login(ADAPTER, settings, _breaking(peer.wire, "POST"))
    partner = run(erp.upsert_business_partner(order.party, key="k-0"), send)
    firm = msgspec.structs.replace(order.party, party_id=f"{order.party.party_id}-2")
    steps: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
        "business_partner": (
            lambda: erp.upsert_business_partner(firm, key="k-1"),
            lambda: erp.find_business_partner(firm.party_id),
        ),
        "sales_order": (
            lambda: erp.create_sales_order(order, partner.external_id, key="k-2"),
            lambda: erp.find_sales_order(order.order_id),
        ),
    }
    make, find = steps[verb]

    with pytest.raises(InDoubt):
        run(make(), broken)

    found = run(find(), send)
    assert found is not None
    assert run(make(), send).external_id == found.external_id


def test_wrong_password(peer: Peer, settings: Settings) -> None:
    """A wrong password is ours to mend, and is tried once."""
    wrong = msgspec.structs.replace(settings, password="other")

    with pytest.raises(Misconfigured) as caught:
        run(
            ADAPTER.ports["erp"](wrong).find_business_partner("C-1"),
            with_login(ADAPTER, wrong, peer.wire),
        )

    assert caught.value.code == "credentials_refused"
    assert peer.received("API_SALES_ORDER_SRV") == ["HEAD 401"]
