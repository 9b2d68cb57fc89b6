"""Explaining an order: what is said, and that nobody can be reached."""

import json
import socket
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from gateway import app
from gateway.api.contract import ORDER_EXAMPLE
from gateway.commands.explain import Explanation, SealedWire, explained


@pytest.fixture
def configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> app.Configuration:
    """A tenant whose systems lie on a host that would answer anything."""
    monkeypatch.setenv("EXPLAIN_SECRET", "hush-hush")
    secret, host = "env:EXPLAIN_SECRET", "https://systems.example.com"
    given: dict[str, tuple[str, dict[str, Any]]] = {
        "payments": ("stripe", {"base_url": host, "secret_key": secret}),
        "crm": ("salesforce", {"login_url": host, "client_id": "c", "client_secret": secret}),
        "erp": (
            "sap_s4",
            {
                "base_url": host,
                "user": "U",
                "password": secret,
                "client": "100",
                "sales_organization": "1710",
                "distribution_channel": "10",
                "division": "00",
            },
        ),
        "risk": ("decision_table", {}),
    }
    tenant = {
        "tenant": "acme",
        "currencies": ["EUR"],
        "systems": [
            {"name": port, "adapter": name, "settings": settings}
            for port, (name, settings) in given.items()
        ],
        "routing": {port: port for port in given},
    }
    (tmp_path / "tenants").mkdir()
    (tmp_path / "tenants" / "acme.yaml").write_text(yaml.safe_dump(tenant))
    file = tmp_path / "headrace.yaml"
    file.write_text("{}")
    return app.configure(file)


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever opens a connection fails."""

    def refuse(*_arguments: object) -> None:
        raise AssertionError("something was about to be sent")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket.socket, "connect_ex", refuse)


async def explanation_of(configuration: app.Configuration, **fields: Any) -> Explanation:
    """What is said of the example order with some other fields."""
    body = json.dumps(ORDER_EXAMPLE | fields).encode()
    return await explained(configuration, "acme", body)


async def test_an_accepted_order_shows_decision_and_requests(
    configuration: app.Configuration,
) -> None:
    """The first request of every system is there, a login before it where one is needed."""
    found = await explanation_of(configuration)
    steps = [(one.system, one.step) for one in found.requests if one.request]

    assert found.accepted
    assert found.assessment is not None
    assert "ACCEPTED" == found.assessment.decision
    assert {"risk", "crm", "erp", "payments"} == set(found.routing)
    assert ("crm", "login") in steps
    assert ("crm", "crm.upsert_account") in steps
    assert ("payments", "payments.create_payment") in steps
    assert any(system == "erp" for system, _ in steps)


async def test_requests_show_no_person_and_no_secret(configuration: app.Configuration) -> None:
    """They are redacted as evidence is."""
    found = await explanation_of(configuration)
    shown = "\n".join(one.request for one in found.requests)

    assert "POST https://systems.example.com/v1/payment_intents" in shown
    assert [] == [w for w in ("hush-hush", "Muster", "ada@", "Hauptstr") if w in shown]


async def test_a_refused_order_shows_why_and_no_request(configuration: app.Configuration) -> None:
    """What risk rejects goes no further."""
    party = json.loads(json.dumps(ORDER_EXAMPLE["party"]))
    party["addresses"][0]["country"] = "KP"
    found = await explanation_of(configuration, party=party)

    assert not found.accepted
    assert found.assessment is not None
    assert "COUNTRY_NOT_SERVED" == found.assessment.reasons[0].code
    assert () == found.requests


async def test_a_wrong_order_shows_all_errors(configuration: app.Configuration) -> None:
    """As the facade would answer, with pointers; nothing is decided."""
    found = await explanation_of(configuration, channel="MOON", more=1)

    assert not found.accepted
    assert {"/channel", "/more"} == {one.pointer for one in found.errors}
    assert found.assessment is None


async def test_the_sealed_wire_leads_nowhere() -> None:
    """A request that reaches it was not sent, and is counted."""
    wire = SealedWire()

    with pytest.raises(httpx.ConnectError):
        await wire.handle_async_request(httpx.Request("GET", "https://systems.example.com"))

    assert 1 == wire.refused
