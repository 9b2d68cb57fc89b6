"""Explaining an order: what is said, and that nobody can be reached."""

import json
import socket
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway import configuring
from gateway.api.routes import ORDER_EXAMPLE
from gateway.commands.explain import Explanation, explained
from gateway.configuring import Configuration
from gateway.runtime.sealed import SealedWire
from tests.unit.commands.tenants import write_tenant


@pytest.fixture
def configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Configuration:
    """A tenant whose systems lie on a host that would answer anything."""
    return configuring.configure(write_tenant(tmp_path, monkeypatch))


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever opens a connection fails."""

    def refuse(*_arguments: object) -> None:
        raise AssertionError("something was about to be sent")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket.socket, "connect_ex", refuse)


async def explanation_of(configuration: Configuration, **fields: Any) -> Explanation:
    """What is said of the example order with some other fields."""
    body = json.dumps(ORDER_EXAMPLE | fields).encode()
    return await explained(configuration, "acme", body)


async def test_an_accepted_order_shows_decision_and_requests(
    configuration: Configuration,
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


async def test_requests_show_no_person_and_no_secret(
    configuration: Configuration,
) -> None:
    """They are redacted as evidence is."""
    found = await explanation_of(configuration)
    shown = "\n".join(one.request for one in found.requests)

    assert "POST https://systems.example.com/v1/payment_intents" in shown
    assert [] == [w for w in ("hush-hush", "Muster", "ada@", "Hauptstr") if w in shown]


async def test_a_refused_order_shows_why_and_no_request(
    configuration: Configuration,
) -> None:
    """What risk rejects goes no further."""
    party = json.loads(json.dumps(ORDER_EXAMPLE["party"]))
    party["addresses"][0]["country"] = "KP"
    found = await explanation_of(configuration, party=party)

    assert not found.accepted
    assert found.assessment is not None
    assert "COUNTRY_NOT_SERVED" == found.assessment.reasons[0].code
    assert () == found.requests


async def test_a_wrong_order_shows_all_errors(configuration: Configuration) -> None:
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


async def test_each_field_says_where_it_comes_from(
    configuration: Configuration,
) -> None:
    """Sources, rule and line; a request that names its mapping is told apart from later ones."""
    found = await explanation_of(configuration)
    made_by = {one.system: one.made_by for one in found.requests if one.made_by}
    shown = {one.system: one.mapping for one in found.translations if one.shown}
    lines = {
        line.target: line
        for one in found.translations
        if one.mapping.startswith("salesforce.account ")
        for line in one.fields
    }

    assert {"crm", "payments"} == set(made_by)
    assert made_by == shown
    assert ("addresses.city",) == lines["/BillingCity"].sources
    assert lines["/BillingCity"].file.endswith("salesforce/account.yaml")
    assert lines["/BillingCity"].line > 1


async def test_the_mappings_that_the_flow_would_keep_are_named(
    configuration: Configuration,
) -> None:
    """The identity under which they are found again once the flow has begun."""
    found = await explanation_of(configuration)
    (tenant,) = configuration.tenants

    assert configuration.mapping_set(tenant).identity == found.mapping_set


async def test_mappings_of_later_calls_are_there(configuration: Configuration) -> None:
    """The first call to the ERP only looks something up; what it would write comes after."""
    found = await explanation_of(configuration)
    erp = [one for one in found.translations if one.system == "erp"]

    assert [False] * len(erp) == [one.shown for one in erp]
    assert any("/PurchaseOrderByCustomer" == line.target for one in erp for line in one.fields)


async def test_an_overlay_is_named_as_the_origin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A field that a tenant changed says so with the tenant's file and line."""
    text = "extends: salesforce.account@1\nfields:\n  BillingCity: {const: Anywhere}\n"
    file = write_tenant(tmp_path, monkeypatch, crm=text)
    found = await explanation_of(configuring.configure(file))
    lines = {line.target: line for one in found.translations for line in one.fields}

    assert f"{file.parent}/tenants/crm.overlay.yaml" == lines["/BillingCity"].file
    assert (3, ()) == (lines["/BillingCity"].line, lines["/BillingCity"].sources)
