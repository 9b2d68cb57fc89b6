"""The verbs against the simulator: once each, twice, with answers lost, tokens old and rivals."""

import os
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from adapters.sap_s4 import ADAPTER, Settings, translation
from adapters.sap_s4.erp import SapErp
from gateway.errors import InDoubt, Misconfigured, Rejected, Unavailable
from gateway.model.order import Order
from gateway.model.party import Party
from gateway.model.reference import EntityKind, ExternalReference
from gateway.ports.erp import Erp

_GOLDEN = Path(__file__).parent / "golden"
_ORDER_REFERENCE = "019500000000700080000000000000a1"


@pytest.fixture
def erp(settings: Settings) -> Erp:
    return ADAPTER.ports["erp"](settings)


def _partner(number: str, *, created: bool) -> ExternalReference:
    return ExternalReference(
        entity=EntityKind.BUSINESS_PARTNER,
        entity_id="C-100042",
        system="sap_s4",
        external_id=number,
        created=created,
    )


def _sales_order(order: Order, number: str, *, created: bool) -> ExternalReference:
    return ExternalReference(
        entity=EntityKind.SALES_ORDER,
        entity_id=order.order_id,
        system="sap_s4",
        external_id=number,
        created=created,
    )


@pytest.fixture
def placed(bench: Any, erp: Erp, party: Party, order: Order) -> ExternalReference:
    """The sales order of our order, made with its business partner; requests forgotten."""
    partner = bench.run(erp.upsert_business_partner(party, key="k-1"))
    made: ExternalReference = bench.run(
        erp.create_sales_order(order, partner.external_id, key="k-2")
    )
    bench.requests.clear()
    return made


def test_business_partner_is_made_once(bench: Any, erp: Erp, party: Party) -> None:
    """The second call finds what the first one made."""
    first = bench.run(erp.upsert_business_partner(party, key="k-1"))
    second = bench.run(erp.upsert_business_partner(party, key="k-1"))

    assert _partner("1000001", created=True) == first
    assert _partner("1000001", created=False) == second
    assert list(bench.simulator.effects()["business_partner"].values()) == [1]


def test_unknown_things_are_not_found(bench: Any, erp: Erp, order: Order) -> None:
    """Looking up what SAP does not have gives None, not an error."""
    assert bench.run(erp.find_business_partner("C-1")) is None
    assert bench.run(erp.find_sales_order(order.order_id)) is None


def test_changed_name_is_written(bench: Any, erp: Erp, party: Party) -> None:
    """A changed name goes to SAP under the entity tag, an unchanged party costs one read."""
    bench.run(erp.upsert_business_partner(party, key="k-1"))
    married = msgspec.structs.replace(party, names=("Ada", "King"))
    bench.requests.clear()

    bench.run(erp.upsert_business_partner(married, key="k-2"))
    bench.run(erp.upsert_business_partner(married, key="k-3"))

    assert bench.methods() == ["GET", "PATCH", "GET"]
    assert bench.requests[1].read() == b'{"LastName":"King"}'
    assert bench.requests[1].headers["if-match"]


def test_names_are_left_alone_where_asked(
    settings: Settings, bench: Any, erp: Erp, party: Party
) -> None:
    """With refreshing switched off SAP keeps its own names."""
    bench.run(erp.upsert_business_partner(party, key="k-1"))
    bench.requests.clear()
    silent = SapErp(msgspec.structs.replace(settings, refresh_business_partners=False))

    bench.run(
        silent.upsert_business_partner(msgspec.structs.replace(party, names=("Bo",)), key="k")
    )

    assert bench.methods() == ["GET"]


def test_no_entity_tag_no_change(bench: Any, erp: Erp, party: Party) -> None:
    """Where SAP shows no entity tag, a change could hide another one and is not made."""
    bench.run(erp.upsert_business_partner(party, key="k-1"))
    bench.requests.clear()
    bench.after = lambda _, response: httpx.Response(
        response.status_code, text=response.text.replace('"etag"', '"no"')
    )

    bench.run(erp.upsert_business_partner(msgspec.structs.replace(party, names=("Bo",)), key="k"))

    assert bench.methods() == ["GET"]


def test_rival_change_of_a_business_partner(bench: Any, erp: Erp, party: Party) -> None:
    """After a conflict the business partner is read again; who never wins gives up for now."""
    bench.run(erp.upsert_business_partner(party, key="k-1"))
    married = msgspec.structs.replace(party, names=("Ada", "King"))
    stale = iter([412, 412])
    bench.before = lambda q: (
        httpx.Response(status)
        if q.method == "PATCH" and (status := next(stale, None)) is not None
        else None
    )
    bench.requests.clear()

    bench.run(erp.upsert_business_partner(married, key="k-2"))

    assert bench.methods() == ["GET", "PATCH", "GET", "PATCH", "GET", "PATCH"]
    bench.before = _always_stale
    with pytest.raises(Unavailable) as caught:
        bench.run(erp.upsert_business_partner(party, key="k-3"))
    assert caught.value.code == "stale"


def test_two_business_partners_with_our_reference(bench: Any, erp: Erp, party: Party) -> None:
    """Nobody may choose between doubles: the error says how many there are."""
    bench.run(erp.upsert_business_partner(party, key="k-1"))
    bench.after = _emptied
    bench.run(erp.upsert_business_partner(party, key="k-2"))
    bench.after = None

    with pytest.raises(InDoubt, match="2 documents") as caught:
        bench.run(erp.find_business_partner(party.party_id))

    assert caught.value.code == "duplicate_in_system"


def _always_stale(request: httpx.Request) -> httpx.Response | None:
    """Somebody else is always quicker."""
    return httpx.Response(412) if request.method == "PATCH" else None


def _emptied(request: httpx.Request, response: httpx.Response) -> httpx.Response:
    """A look-up that does not see what is there yet."""
    if request.method == "GET":
        return httpx.Response(200, text='{"d": {"results": []}}')
    return response


def test_stranger_in_the_answer(bench: Any, erp: Erp, order: Order) -> None:
    """A proxy that drops the filter does not make us take somebody else's order."""
    other = '{"d": {"results": [{"SalesOrder": "1", "PurchaseOrderByCustomer": "x"}]}}'
    bench.after = lambda _, response: httpx.Response(200, text=other, headers=response.headers)

    with pytest.raises(Unavailable) as caught:
        bench.run(erp.find_sales_order(order.order_id))

    assert caught.value.code == "answer_unreadable"


def test_sales_order_is_made_once(
    bench: Any, erp: Erp, order: Order, placed: ExternalReference
) -> None:
    """A repetition finds the first sales order; find finds it too."""
    again = bench.run(erp.create_sales_order(order, "1000001", key="k-2"))
    found = bench.run(erp.find_sales_order(order.order_id))

    assert _sales_order(order, "4711", created=True) == placed
    assert _sales_order(order, "4711", created=False) == again == found
    assert bench.simulator.effects()["sales_order"] == {_ORDER_REFERENCE: 1}


def test_numbers_lose_their_zeros(
    bench: Any, erp: Erp, order: Order, placed: ExternalReference
) -> None:
    """Some services show the internal form; we keep the form of the screens."""
    bench.after = lambda _, response: httpx.Response(
        200, text=response.text.replace('"4711"', '"0000004711"').replace('"10000', '"00010000')
    )

    partner = bench.run(erp.find_business_partner(order.party.party_id))
    found = bench.run(erp.find_sales_order(order.order_id))

    assert (partner.external_id, found.external_id) == ("1000001", placed.external_id)


def test_number_in_addresses_stays_as_it_is(bench: Any, erp: Erp, party: Party) -> None:
    """Keys in addresses are not converted by every release, so they are sent as they came."""
    bench.run(erp.upsert_business_partner(party, key="k-1"))
    bench.after = lambda _, response: httpx.Response(
        200, text=response.text.replace('"10000', '"00010000')
    )
    exchange = erp.upsert_business_partner(msgspec.structs.replace(party, names=("Bo",)), key="k-2")

    change = exchange.send(bench.deliver(next(exchange)))

    assert change.url.path.endswith("A_BusinessPartner('0001000001')")


def test_lost_answer_is_found(bench: Any, erp: Erp, party: Party, order: Order) -> None:
    """When the answer to a create is lost in a proxy, find tells that it happened."""
    partner = bench.run(erp.upsert_business_partner(party, key="k-1"))
    bench.after = lambda q, r: httpx.Response(502, text="<h1>x</h1>") if q.method == "POST" else r

    with pytest.raises(InDoubt):
        bench.run(erp.create_sales_order(order, partner.external_id, key="k-2"))

    assert bench.run(erp.find_sales_order(order.order_id)).external_id == "4711"
    assert bench.simulator.effects()["sales_order"] == {_ORDER_REFERENCE: 1}


@pytest.mark.parametrize(
    "body", ['{"d": {}}', '{"d": {"SalesOrder": ""}}', "<html><title>Logon</title></html>"]
)
def test_created_without_a_number(
    bench: Any, erp: Erp, party: Party, order: Order, body: str
) -> None:
    """An answer without the document number leaves the create in doubt."""
    partner = bench.run(erp.upsert_business_partner(party, key="k-1"))
    bench.after = lambda q, r: httpx.Response(200, text=body) if q.method == "POST" else r

    with pytest.raises(InDoubt) as caught:
        bench.run(erp.create_sales_order(order, partner.external_id, key="k-2"))

    assert caught.value.code == "answer_unreadable"


def test_old_token_is_replaced(bench: Any, erp: Erp, party: Party, order: Order) -> None:
    """A token that has ended is fetched anew and the write is sent once more, with one effect."""
    bench.run(erp.upsert_business_partner(party, key="k-1"))
    bench.now += 1801
    bench.requests.clear()

    bench.run(erp.create_sales_order(order, "1000001", key="k-2"))

    assert bench.methods() == ["GET", "POST", "HEAD", "POST"]
    assert bench.simulator.effects()["sales_order"] == {_ORDER_REFERENCE: 1}


def test_unknown_material(bench: Any, erp: Erp, party: Party, order: Order) -> None:
    """SAP's no carries its message number, and not the sentence."""
    partner = bench.run(erp.upsert_business_partner(party, key="k-1"))
    item = msgspec.structs.replace(order.items[0], product_id="UNKNOWN-1")

    with pytest.raises(Rejected) as caught:
        bench.run(
            erp.create_sales_order(
                msgspec.structs.replace(order, items=(item,)), partner.external_id, key="k-2"
            )
        )

    assert caught.value.detail.startswith("HTTP 400, V1/302")
    assert "UNKNOWN" not in f"{caught.value}{caught.value.detail}"


@pytest.mark.parametrize(("status", "code"), [(423, "locked"), (429, "throttled")])
def test_nothing_happened(bench: Any, erp: Erp, party: Party, status: int, code: str) -> None:
    """Locks and quotas are reasons to come back, whatever was asked."""
    bench.before = lambda q: (
        bench.simulator.refuse(q, status) if q.method in {"GET", "POST"} else None
    )

    with pytest.raises(Unavailable) as caught:
        bench.run(erp.upsert_business_partner(party, key="k-1"))

    assert code == caught.value.code


def test_cancel_rejects_every_item_once(
    bench: Any, erp: Erp, order: Order, placed: ExternalReference
) -> None:
    """Each item is rejected under a fresh entity tag; the second cancel changes nothing."""
    first = bench.run(erp.cancel_sales_order(order.order_id, placed.external_id, key="k-3"))
    writes = bench.methods().count("PATCH")
    second = bench.run(erp.cancel_sales_order(order.order_id, placed.external_id, key="k-3"))

    assert _sales_order(order, "4711", created=True) == first
    assert _sales_order(order, "4711", created=False) == second
    assert (writes, bench.methods().count("PATCH")) == (2, 2)
    assert bench.simulator.effects()["sales_order_cancelled"] == {_ORDER_REFERENCE: 1}


def test_cancel_goes_on_where_it_stopped(
    bench: Any, erp: Erp, order: Order, placed: ExternalReference
) -> None:
    """After a failure between two items the next attempt rejects the rest only."""
    bench.before = lambda q: (
        httpx.Response(504) if q.method == "PATCH" and "'20'" in str(q.url) else None
    )
    with pytest.raises(InDoubt):
        bench.run(erp.cancel_sales_order(order.order_id, placed.external_id, key="k-3"))
    assert bench.simulator.effects()["sales_order_cancelled"] == {}
    bench.before = lambda _: None
    bench.requests.clear()

    bench.run(erp.cancel_sales_order(order.order_id, placed.external_id, key="k-3"))

    assert bench.methods() == ["GET", "PATCH", "GET"]
    assert bench.simulator.effects()["sales_order_cancelled"] == {_ORDER_REFERENCE: 1}


def test_cancel_among_rivals(bench: Any, erp: Erp, order: Order, placed: ExternalReference) -> None:
    """A conflict is read over again; a document that never stands still is left for later."""
    bench.before = _always_stale

    with pytest.raises(Unavailable) as caught:
        bench.run(erp.cancel_sales_order(order.order_id, placed.external_id, key="k-3"))

    assert caught.value.code == "stale"
    assert bench.methods().count("PATCH") == 4


def test_cancel_that_sap_ignores(
    bench: Any, erp: Erp, order: Order, placed: ExternalReference
) -> None:
    """A reason that SAP accepts and does not keep ends the loop as a matter for a person."""
    bench.after = lambda _, r: httpx.Response(
        r.status_code, text=r.text.replace('"SalesDocumentRjcnReason":"00"', '"X":""')
    )

    with pytest.raises(Misconfigured) as caught:
        bench.run(erp.cancel_sales_order(order.order_id, placed.external_id, key="k-3"))

    assert caught.value.code == "rejection_ignored"


def test_cancel_by_the_other_form_of_the_number(
    bench: Any, erp: Erp, order: Order, placed: ExternalReference
) -> None:
    """A number with leading zeros means the same sales order; another number means none."""
    done = bench.run(erp.cancel_sales_order(order.order_id, "0000004711", key="k-3"))

    assert done.external_id == placed.external_id
    with pytest.raises(Rejected, match="not of this order"):
        bench.run(erp.cancel_sales_order(order.order_id, "4712", key="k-3"))


def test_cancel_with_the_tag_of_the_document(
    bench: Any, erp: Erp, order: Order, placed: ExternalReference
) -> None:
    """Releases that show no entity tag on items take that of their order."""

    def after(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        if request.method != "GET":
            return response
        order, items = response.text.split('"to_Item"', 1)
        return httpx.Response(200, text=f'{order}"to_Item"{items.replace("etag", "no")}')

    bench.after = after

    assert bench.run(erp.cancel_sales_order(order.order_id, "4711", key="k-3")).created


def test_cancel_when_the_filter_is_dropped(
    bench: Any, erp: Erp, order: Order, placed: ExternalReference
) -> None:
    """A sales order with the right number and another reference is not ours to cancel."""
    bench.after = lambda _, response: httpx.Response(
        200, text=response.text.replace(_ORDER_REFERENCE, "other")
    )

    with pytest.raises(Rejected, match="not of this order"):
        bench.run(erp.cancel_sales_order(order.order_id, placed.external_id, key="k-3"))


def test_cancel_of_somebody_elses_order(bench: Any, erp: Erp, placed: ExternalReference) -> None:
    """A sales order that does not carry our order id is not touched."""
    with pytest.raises(Rejected) as caught:
        bench.run(erp.cancel_sales_order("other", placed.external_id, key="k-3"))

    assert caught.value.code == "reference_mismatch"
    assert bench.methods() == ["GET"]


def test_two_systems_in_one_process(bench: Any, party: Party, settings: Settings) -> None:
    """Two configurations of the product keep their own addresses and clients."""
    other = msgspec.structs.replace(settings, base_url="https://other.test/proxy", client="200")

    request = next(SapErp(other).find_business_partner(party.party_id))

    assert request.url.host == "other.test"
    assert request.url.path.startswith("/proxy/sap/opu/odata/sap/API_BUSINESS_PARTNER/")
    assert request.headers["sap-client"] == "200"


def test_merge_where_patch_is_unknown(
    bench: Any, order: Order, placed: ExternalReference, settings: Settings
) -> None:
    """Older releases are changed with MERGE."""
    older = SapErp(msgspec.structs.replace(settings, update_method="MERGE"))

    bench.run(older.cancel_sales_order(order.order_id, placed.external_id, key="k-3"))

    assert bench.methods().count("MERGE") == 2


@pytest.mark.parametrize(
    "verb",
    [
        "login",
        "upsert_business_partner",
        "refresh_business_partner",
        "find_business_partner",
        "create_sales_order",
        "find_sales_order",
        "cancel_sales_order",
    ],
)
def test_golden(bench: Any, erp: Erp, party: Party, order: Order, verb: str) -> None:
    """The requests of each verb are those of its file; HEADRACE_REGENERATE=1 writes the files."""
    prepared, exchange = {
        "login": (0, lambda: erp.find_business_partner(party.party_id)),
        "upsert_business_partner": (0, lambda: erp.upsert_business_partner(party, key="k-1")),
        "refresh_business_partner": (
            1,
            lambda: erp.upsert_business_partner(
                msgspec.structs.replace(party, names=("Ada", "King")), key="k-2"
            ),
        ),
        "find_business_partner": (1, lambda: erp.find_business_partner(party.party_id)),
        "create_sales_order": (1, lambda: erp.create_sales_order(order, "1000001", key="k-3")),
        "find_sales_order": (2, lambda: erp.find_sales_order(order.order_id)),
        "cancel_sales_order": (
            2,
            lambda: erp.cancel_sales_order(order.order_id, "4711", key="k-4"),
        ),
    }[verb]
    if prepared > 0:
        bench.run(erp.upsert_business_partner(party, key="k-1"))
    if prepared > 1:
        bench.run(erp.create_sales_order(order, "1000001", key="k-3"))
    bench.requests.clear()
    bench.run(exchange())
    sent = [each for each in bench.requests if (each.method == "HEAD") == (verb == "login")]
    text = "\n".join(map(_readable, sent))
    file = _GOLDEN / f"{verb}.http"

    if os.environ.get("HEADRACE_REGENERATE") == "1":
        file.write_text(text)

    assert file.read_text() == text


def _readable(request: httpx.Request) -> str:
    """The request as a person reads it; logon masked, JSON indented."""
    hidden = {"content-length", "cookie", "x-csrf-token"} - (
        {"x-csrf-token"} if request.method == "HEAD" else set()
    )
    headers = [(name, value) for name, value in request.headers.items() if name not in hidden]
    lines = [f"{request.method} {request.url.raw_path.decode()}"]
    lines += [f"{n}: {'Basic ***' if n == 'authorization' else v}" for n, v in sorted(headers)]
    body = request.read()
    if body:
        lines += ["", msgspec.json.format(body, indent=2).decode()]
    return "\n".join(lines) + "\n"


def test_reference_of_the_effects(bench: Any, erp: Erp, party: Party, settings: Settings) -> None:
    """Effects are counted by the reference that find asks for."""
    bench.run(erp.upsert_business_partner(party, key="k-1"))

    reference = translation.partner_reference(settings, party.party_id)
    assert bench.simulator.effects()["business_partner"] == {reference: 1}
