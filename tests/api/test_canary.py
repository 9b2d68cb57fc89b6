"""The canary: what a person sent appears where it belongs, and in nothing that is operated."""

import copy
import io
import json
from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest
import structlog
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from gateway.runtime import metrics
from gateway.runtime.lines import Lines, stamp
from tests.api.front import Front, new_order

_NAME: Final = "Kanarienvogelova"
_STREET: Final = "Zwitscherallee"
_CITY: Final = "Vogelsdorfheim"
_EMAIL: Final = "kanarie@vogelpost.example"
_PHONE: Final = "+49 151 98765432"
_IBAN: Final = "DE89370400440532013000"
_NOTE: Final = f"Konto {_IBAN} von {_NAME}"
_BIRTH: Final = "1931-07-23"
_CANARIES: Final = (_NAME, _STREET, _CITY, _EMAIL, _PHONE, _IBAN, _BIRTH, "98765432")


@pytest.fixture
def log() -> Iterator[Callable[[], str]]:
    """What stands in the log by now, as it is written in production, processors and all."""
    written = io.BytesIO()
    lines = Lines(written)
    structlog.configure(
        processors=[stamp],
        logger_factory=lambda *_: lines,
        cache_logger_on_first_use=False,
    )

    def read() -> str:
        lines.write()
        return written.getvalue().decode()

    yield read
    structlog.reset_defaults()


def canary(name: str, **changes: Any) -> dict[str, Any]:
    """An order with a canary in every field that takes free text."""
    order = copy.deepcopy(new_order(name, **changes))
    order["note"] = _NOTE
    order["party"] |= {
        "names": ["Koko", _NAME],
        "email": _EMAIL,
        "phone": _PHONE,
        "birth_date": _BIRTH,
    }
    order["party"]["addresses"][0] |= {"line1": _STREET, "city": _CITY, "line2": f"bei {_NAME}"}
    order["items"][0]["description"] = f"Gravur {_NAME}"
    return order


_HEADERS: Final = {
    "User-Agent": f"Browser of {_NAME}",
    "X_Forwarded_For": _NAME,
    "Referer": f"https://shop.example/?mail={_EMAIL}",
    "Cookie": f"iban={_IBAN}",
    "Authorization": f"Bearer {_IBAN}",
    "Traceparent": _NAME,
    "Tracestate": f"x={_NAME}",
    "Baggage": f"email={_EMAIL}",
}


def found_in(text: str) -> list[str]:
    """The canaries that a text holds, however it is escaped."""
    plain = text.encode().decode("unicode_escape", "replace") + text
    return [one for one in _CANARIES if one in plain]


async def provoke(front: Front) -> list[str]:
    """Requests of every kind that go wrong; the problems that came of them."""
    wrong = canary("wrong") | {"channel": _NAME, _NAME: 1}
    wrong["total"] = {"amount": _IBAN, "currency": _NAME}
    wrong["payment"] = {"method_code": _NAME, "token": _EMAIL}
    answers = [
        await front.post(wrong, **_HEADERS),
        await front.post(canary("other"), key=_IBAN, **_HEADERS),
        await front.post(canary("reused"), key=_IBAN, **_HEADERS),
        await front.post(canary("tenant"), Headrace_Tenant=_NAME),
        await front.post(json.dumps(canary("half")).encode()[:-1], **_HEADERS),
        await front.post(canary("type"), Content_Type=f"text/{_NAME}"),
        await front.post(canary("prefer"), key="prefer", Prefer=f"wait={_NAME}"),
        await front.api.get(f"/v1/orders/{_EMAIL}?iban={_IBAN}"),
        await front.api.get(f"/{_NAME}/{_IBAN}"),
        await front.api.request(_NAME.upper(), "/v1/orders"),
        await front.api.post(f"/webhooks/acme/{_NAME}", content=_NOTE),
        await front.api.post("/webhooks/acme/stripe", content=_NOTE, headers={"X-Name": _NAME}),
    ]
    # The pointer to a field that there is not is its name; that is what a front-end has to see.
    return [one.text.replace(f'"/{_NAME}"', "") for one in answers if one.status_code >= 400]


async def test_nothing_that_is_operated_holds_a_canary(
    front: Front, log: Callable[[], str], measured: InMemoryMetricReader
) -> None:
    """Logs, spans, metrics, problems, events, evidence, flows: ids only."""
    stage = front.stage
    problems = await provoke(front)
    async with stage.life() as life:
        for name, changes in (
            ("sold", {}),
            ("declined", {"token": "pm_card_chargeDeclined"}),
            ("refused", {"country": "RU"}),
            ("parked", {"product_id": "UNKNOWN-1"}),
        ):
            order = await stage.submit(canary(name, **changes))
            if name == "parked":
                await stage.work_until(life, order, "PARKED")
            else:
                await stage.finish(life, order)
            problems.append((await front.api.get(f"/v1/orders/{order.order_id}/timeline")).text)
        life.parts.telemetry.flush()
        front.parts.telemetry.flush()

    assert 9 <= len(problems)
    assert [] == found_in("".join(problems))
    said = log()
    assert 20 < said.count("api.request")
    assert [] == found_in(said)
    spans = [span.to_json() for span in stage.spans.get_finished_spans()]
    assert 40 < len(spans)
    assert [] == found_in("".join(spans))
    data = measured.get_metrics_data()
    assert data is not None
    ours = (metrics.server_durations, metrics.client_durations)
    assert [] == found_in(data.to_json() + "".join(one.metric().to_json() for one in ours))
    for table in ("outbox", "flow", "evidence", "reference", "decision"):
        rows = await stage.rows(f"select to_jsonb(t)::text from headrace.{table} t")  # noqa: S608 - our own names
        assert [] == found_in("".join(row[0] for row in rows)), table


async def test_canary_is_where_it_belongs(front: Front) -> None:
    """The order keeps what was sent; otherwise the test above would prove nothing."""
    taken = await front.post(canary("kept"))

    shown = await front.api.get(taken.json()["links"]["order"])

    assert set(_CANARIES) == set(found_in(shown.text))
