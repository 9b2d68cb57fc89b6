"""Salesforce's mappings as the port uses them, and with a tenant's changes."""

import json
from collections.abc import Callable

import msgspec
import pytest

from adapters.salesforce import ADAPTER
from adapters.salesforce.settings import Settings
from adapters.salesforce.translation import load
from gateway.errors import Misconfigured, Rejected
from gateway.kit import mapping
from gateway.model.order import Order, OrderState
from gateway.model.party import Party


def test_no_state_is_without_a_stage(settings: Settings) -> None:
    """A state of orders that the code list does not have stops the start."""
    for state in OrderState:
        text = f"extends: salesforce.opportunity@1\ncodes: {{progress: {{{state.value}: null}}}}"
        overlay = mapping.parse(text, file="acme.overlay.yaml")
        with pytest.raises(Misconfigured) as refused:
            load(settings, overlays=(overlay,), tenant="acme")
        assert state.value in refused.value.message


def test_a_tenant_writes_another_name(settings: Settings, make_order: Callable[..., Order]) -> None:
    """An overlay of the system's tenant is what the port sends."""
    text = "extends: salesforce.opportunity@1\nfields: {Name: 'f\"Car {order_id}\" | fit(120)'}"
    text += "\nunused: [channel, kind, party, items, payment, note, payment_id, reference,"
    text += " risk_assessment_id, external_refs, cancel_reason]"
    overlay = mapping.parse(text, file="acme.overlay.yaml")
    mappings = ADAPTER.load(settings, overlays=(overlay,), tenant="acme")
    order = make_order()
    request = next(ADAPTER.port("crm", settings, mappings).upsert_opportunity(order, "1", key="k"))

    assert mappings is not None
    assert mappings["opportunity"].reference == request.extensions["headrace.mapping"]
    assert f"Car {order.order_id}" == json.loads(request.read())["Name"]


def test_the_org_names_its_own_field(settings: Settings, company: Party) -> None:
    """The VAT id goes into the field of the setting, and nowhere without one."""
    sent = {}
    for name in ("Tax_Number__c", ""):
        own = msgspec.structs.replace(settings, vat_id_field=name)
        request = next(ADAPTER.port("crm", own).upsert_account(company, key="k"))
        sent[name] = json.loads(request.read())

    assert "DE123" == sent["Tax_Number__c"].pop("Tax_Number__c")
    assert sent[""] == sent["Tax_Number__c"]


def test_a_day_that_is_none_is_refused(
    settings: Settings, make_order: Callable[..., Order]
) -> None:
    """Not as too long: the field of ours is named."""
    order = msgspec.structs.replace(make_order(), submitted_at="2026-02-30T00:00:00Z")

    with pytest.raises(Rejected) as refused:
        next(ADAPTER.port("crm", settings).upsert_opportunity(order, "1", key="k"))
    assert "field_invalid" == refused.value.code
    assert "submitted_at" in refused.value.message
