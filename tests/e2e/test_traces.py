"""Each order is one whole trace, whoever died on the way, and nobody's data is in any record."""

import json
import time
from collections.abc import Iterator
from typing import Any, Final

import httpx
import psycopg
import pytest

from gateway.commands.landscape import Landscape
from tests.e2e.collector import Collector, Span, collecting
from tests.e2e.conftest import Start
from tests.flows.stage import new_order

# Unique, and each of a form that a careless log or an address would change.
_CANARIES: Final = {
    "given name": "Zaphodine",
    "family name": "Übelküsser-Qvist",
    "street": "Kanarienvogelgasse",
    "e-mail": "zaphodine.qvist@canary.example",
    "IBAN": "DE02120300000000202051",
}


@pytest.fixture
def collector() -> Iterator[Collector]:
    """A collector that everybody sends to."""
    with collecting() as one:
        yield one


@pytest.fixture
def landscape(start: Start, collector: Collector) -> Landscape:
    """A landscape that sends its spans to the collector."""
    landscape = start(settings={"telemetry": {"otlp_endpoint": collector.endpoint}})
    landscape.start_simulators()
    landscape.start_serve()
    return landscape


def test_each_order_is_one_unbroken_trace(landscape: Landscape, collector: Collector) -> None:
    """From the facade over flow, step and attempt to the webhook, also across a SIGKILL."""
    landscape.start_worker("worker-1")
    ids = [_submit(landscape, new_order(f"T{number}")) for number in range(3)]
    _wait_until_ended(landscape, ids)
    # Spans leave in batches; a worker that dies at once takes the last of them with it.
    _wait_for_spans(collector, "place_order", len(ids))
    # This one's worker dies while SAP is asked; another brings it to its end.
    landscape.fault("sap_s4", kind="slow", method="POST", path="A_SalesOrder", delay_s=1.0)
    ids.append(_submit(landscape, new_order("killed")))
    _wait_for(
        landscape,
        "select 1 from absurd.c_interactive c join headrace.flow f on f.task_id = c.task_id"
        " where f.business_id = %s and c.checkpoint_name = 'erp.upsert_business_partner'",
        ids[-1],
    )
    landscape.kill("worker-1")
    landscape.start_worker("worker-2")
    ids.append(_submit(landscape, new_order("declined", token="pm_card_visa_chargeDeclined")))
    _wait_until_ended(landscape, ids)
    traces = _trace_ids(landscape)
    landscape.stop()

    found = collector.traces()
    for order_id in ids:
        spans = found[traces[order_id]]
        assert [] == _orphans(spans)
        assert [("POST /v1/orders", "headrace-serve")] == [
            (one.name, one.process) for one in spans.values() if not one.parent_id
        ]
        assert {"receive_event"} <= {one.name for one in spans.values()}
        assert ["receive_event", "place_order", "POST /v1/orders"] == _way_up(
            spans, "receive_event"
        )
        assert [
            "stripe.create_payment",
            "place_order.payments.create_payment",
            "place_order",
            "POST /v1/orders",
        ] == _way_up(spans, "stripe.create_payment")
    assert len(ids) == len({traces[order_id] for order_id in ids})


def test_nobody_is_named_in_any_record(landscape: Landscape, collector: Collector) -> None:
    """Neither log, span, problem, metric, evidence nor flow tells who ordered."""
    landscape.start_worker("worker-1")
    landscape.fault("sap_s4", kind="lost_answer", method="POST", path="A_SalesOrder")
    answers = [_order_with(landscape, "whole")]
    answers.append(_order_with(landscape, "declined", token="pm_card_visa_chargeDeclined"))
    answers.append(_order_with(landscape, "refused-by-SAP", product_id="UNKNOWN-1"))
    answers += _refused_orders(landscape)
    _wait_for(
        landscape,
        "select 1 from headrace.flow having count(*) filter"
        " (where state in ('COMPLETED', 'CANCELLED')) = 2"
        " and count(*) filter (where reason = 'rejected') = 1",
    )
    landscape.stop()
    records = {
        "problems": "\n".join(answers),
        "spans and metrics": b"\n".join(collector.bodies).decode(),
        **_tables(landscape),
        **{log.name: log.read_text() for log in landscape.folder.glob("*.log")},
    }

    assert "http.server.request.duration" in records["spans and metrics"]
    assert "stripe.create_payment" in records["spans and metrics"]
    assert "A_SalesOrder" in records["evidence"]
    assert "flow.parked" in records["worker-1.log"]
    assert "POST" in records["serve.log"]
    assert [] == [
        (record, name)
        for record, text in records.items()
        for name, canary in _CANARIES.items()
        for form in (canary, json.dumps(canary).strip('"'))
        if form.casefold() in text.casefold()
    ]


def _order_with(landscape: Landscape, name: str, **changes: Any) -> str:
    order = new_order(name, **changes)
    order["party"]["names"] = [_CANARIES["given name"], _CANARIES["family name"]]
    order["party"]["email"] = _CANARIES["e-mail"]
    order["party"]["addresses"][0]["line1"] = _CANARIES["street"]
    order["note"] = f"Please debit {_CANARIES['IBAN']} for {_CANARIES['given name']}"
    return _ask(landscape, order).text


def _refused_orders(landscape: Landscape) -> list[str]:
    """Orders with a mistake in each field that holds a canary: what is wrong is not quoted."""
    texts = []
    for change in (
        {"names": [_CANARIES["given name"] + "\x01"]},
        {"email": _CANARIES["e-mail"] + "@" + _CANARIES["street"]},
        {"names": _CANARIES["family name"]},
        {"vat_id": _CANARIES["IBAN"] + _CANARIES["street"]},
    ):
        order = new_order(f"wrong-{len(texts)}")
        order["party"] |= change
        answer = _ask(landscape, order)
        assert 400 <= answer.status_code < 500, answer.text
        texts.append(answer.text)
    return texts


def _tables(landscape: Landscape) -> dict[str, str]:
    """The tables that tell people what happened; the model itself holds the customer, of course."""
    queries = {
        "evidence": "select to_jsonb(t)::text from headrace.evidence t",
        "outbox": "select to_jsonb(t)::text from headrace.outbox t",
        "span": "select to_jsonb(t)::text from headrace.span t",
        "flow": "select to_jsonb(t)::text from headrace.flow t",
    }
    return {
        table: "\n".join(row[0] for row in _rows(landscape, sql)) for table, sql in queries.items()
    }


def _ask(landscape: Landscape, order: dict[str, Any]) -> httpx.Response:
    return landscape.client.post(
        f"{landscape.facade}/v1/orders",
        json=order,
        headers={"Idempotency-Key": str(order["reference"])},
    )


def _submit(landscape: Landscape, order: dict[str, Any]) -> str:
    return str(_ask(landscape, order).raise_for_status().json()["order_id"])


def _rows(landscape: Landscape, sql: str, *params: object) -> list[Any]:
    with psycopg.connect(landscape.url, autocommit=True) as connection:
        return connection.execute(sql, params).fetchall()  # type: ignore[arg-type] # literals


def _wait_until_ended(landscape: Landscape, ids: list[str]) -> None:
    _wait_for(
        landscape,
        "select 1 from headrace.flow where business_id = any(%s)"
        " and state in ('COMPLETED', 'CANCELLED') having count(*) = %s",
        ids,
        len(ids),
    )


def _wait_for(landscape: Landscape, sql: str, *params: object) -> None:
    """Return when the query has a row."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if _rows(landscape, sql, *params):
            return
        time.sleep(0.02)
    raise AssertionError(_rows(landscape, "select to_jsonb(f) from headrace.flow f"))


def _wait_for_spans(collector: Collector, name: str, count: int) -> None:
    """Return when so many spans of this name have arrived."""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        spans = [one for spans in collector.traces().values() for one in spans.values()]
        if count <= sum(one.name == name for one in spans):
            return
        time.sleep(0.05)
    raise AssertionError(f"fewer than {count} spans {name!r} arrived")


def _trace_ids(landscape: Landscape) -> dict[str, str]:
    rows = _rows(
        landscape, "select business_id, split_part(traceparent, '-', 2) from headrace.flow"
    )
    return dict(rows)


def _orphans(spans: dict[str, Span]) -> list[Span]:
    """Spans whose parent never arrived."""
    return [one for one in spans.values() if one.parent_id and one.parent_id not in spans]


def _way_up(spans: dict[str, Span], name: str) -> list[str]:
    """The names from a span up to the root."""
    span = next(one for one in spans.values() if one.name == name)
    names = [span.name]
    while span.parent_id:
        span = spans[span.parent_id]
        names.append(span.name)
    return names
