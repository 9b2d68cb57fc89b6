"""The port ``crm`` against the simulator: what arrives in the org, and what comes back."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from adapters.salesforce import ADAPTER
from adapters.salesforce.crm import SalesforceCrm
from adapters.salesforce.settings import Settings
from adapters.salesforce.simulator import SalesforceSimulator
from gateway.errors import HeadraceError, InDoubt, Misconfigured, Rejected, Unavailable
from gateway.kit.blocking import Send, run, with_login
from gateway.model.money import Money
from gateway.model.order import Order, OrderState
from gateway.model.party import Address, Party
from gateway.model.reference import EntityKind, ExternalReference

GOLDEN = Path(__file__).parent / "golden"
ORDER_ID = "0198c0de-0000-7000-8000-000000000001"


def changed(party: Party, **address: Any) -> Party:
    first = msgspec.structs.replace(party.addresses[0], **address)
    return msgspec.structs.replace(party, addresses=(first,))


def test_an_account_is_made_once_and_then_updated(
    crm: SalesforceCrm, org: Any, send: Send, person: Party
) -> None:
    """The second upsert of a party changes the record of the first."""
    first = run(crm.upsert_account(person, key="k1"), send)
    second = run(crm.upsert_account(changed(person, city="Bonn"), key="k2"), send)

    assert (
        ExternalReference(
            entity=EntityKind.ACCOUNT,
            entity_id="C-100042",
            system="salesforce",
            external_id="001Hr0000000001IAA",
            created=True,
        )
        == first
    )
    assert msgspec.structs.replace(first, created=False) == second
    assert ["Bonn"] == [row["BillingCity"] for row in org.simulator.rows("Account")]
    assert {"account": {"C-100042": 1}, "opportunity": {}} == org.simulator.effects()


def test_a_person_arrives_field_by_field(
    crm: SalesforceCrm, org: Any, send: Send, person: Party
) -> None:
    """Name and address stand in Salesforce's own fields, e-mail and birth date stay with us."""
    run(crm.upsert_account(person, key="k"), send)

    assert (
        {
            "Id": "001Hr0000000001IAA",
            "Headrace_Id__c": "C-100042",
            "Name": "Erika Mustermann",
            "BillingStreet": "Heidestraße 17\nHinterhaus",
            "BillingPostalCode": "51147",
            "BillingCity": "Köln",
            "BillingCountryCode": "DE",
        },
    ) == org.simulator.rows("Account")


def test_a_vat_id_that_is_gone_is_cleared(
    crm: SalesforceCrm, org: Any, send: Send, company: Party
) -> None:
    """An organisation's VAT id goes into the configured field, and out of it again."""
    run(crm.upsert_account(company, key="k"), send)
    before = org.simulator.rows("Account")[0]["VAT_ID__c"]
    run(crm.upsert_account(msgspec.structs.replace(company, vat_id=None), key="k"), send)
    after = org.simulator.rows("Account")[0]["VAT_ID__c"]

    assert ("DE123", None) == (before, after)


def test_country_goes_into_the_text_field_where_the_org_has_no_picklists(
    settings: Settings, org: Any, person: Party
) -> None:
    """``country_field`` names the field; the other one is unknown to such an org."""
    org.simulator = SalesforceSimulator(country_picklists=False)
    text = msgspec.structs.replace(settings, country_field="BillingCountry")
    send = with_login(ADAPTER, settings, org.send)
    run(SalesforceCrm(text).upsert_account(person, key="k"), send)

    assert "DE" == org.simulator.rows("Account")[0]["BillingCountry"]
    with pytest.raises(Misconfigured) as caught:
        run(SalesforceCrm(settings).upsert_account(person, key="k"), send)
    assert ("not_permitted", "INVALID_FIELD") == (caught.value.code, caught.value.detail)


def test_an_opportunity_hangs_on_its_account(
    crm: SalesforceCrm, org: Any, send: Send, person: Party, make_order: Callable[..., Order]
) -> None:
    """Order, account, stage, date and amount arrive; the order is found again."""
    account = run(crm.upsert_account(person, key="k1"), send)
    made = run(crm.upsert_opportunity(make_order(), account.external_id, key="k2"), send)
    found = run(crm.find_opportunity(ORDER_ID), send)

    assert (EntityKind.OPPORTUNITY, ORDER_ID, True) == (made.entity, made.entity_id, made.created)
    assert msgspec.structs.replace(made, created=False) == found
    assert (
        {
            "Id": made.external_id,
            "Headrace_Id__c": ORDER_ID,
            "Name": "Order W-1001",
            "AccountId": account.external_id,
            "StageName": "Prospecting",
            "CloseDate": "2026-11-21",
            "Amount": 45900.0,
        },
    ) == org.simulator.rows("Opportunity")


@pytest.mark.parametrize(
    ("state", "stage"),
    [
        (OrderState.SUBMITTED, "Prospecting"),
        (OrderState.RISK_REVIEW, "Prospecting"),
        (OrderState.ACCEPTED, "Closed Won"),
        (OrderState.IN_FULFILMENT, "Closed Won"),
        (OrderState.COMPLETED, "Closed Won"),
        (OrderState.REJECTED, "Closed Lost"),
        (OrderState.CANCELLED, "Closed Lost"),
    ],
)
def test_the_stage_follows_the_order(
    crm: SalesforceCrm, make_order: Callable[..., Order], state: OrderState, stage: str
) -> None:
    """Each state of an order has one stage."""
    body = next(crm.upsert_opportunity(make_order(state=state), "001", key="k")).read()

    assert stage == json.loads(body)["StageName"]


@pytest.mark.parametrize(
    ("total", "expected"),
    [
        (Money(4_590_010, "EUR"), b'"Amount":45900.10'),
        (Money(999_999_999_999_999, "EUR"), b'"Amount":9999999999999.99'),
        (Money(1_000, "JPY"), b'"Amount":1000,'),
        (Money(1_001, "KWD"), b'"Amount":1.001'),
    ],
)
def test_amounts_are_written_from_the_decimal_text(
    settings: Settings, make_order: Callable[..., Order], total: Money, expected: bytes
) -> None:
    """No digit passes through a float."""
    multi = SalesforceCrm(msgspec.structs.replace(settings, multi_currency=True))
    body = next(multi.upsert_opportunity(make_order(total), "001", key="k")).read()

    assert expected in body
    assert f'"CurrencyIsoCode":"{total.currency}"'.encode() in body


def test_a_foreign_amount_is_left_out_where_the_org_has_one_currency(
    crm: SalesforceCrm, make_order: Callable[..., Order]
) -> None:
    """1,000 yen are not shown as 1,000 euros."""
    body = next(crm.upsert_opportunity(make_order(Money(1_000, "JPY")), "001", key="k")).read()

    fields = json.loads(body)
    assert fields["Amount"] is None
    assert "CurrencyIsoCode" not in fields


def test_an_order_without_a_number_is_called_by_our_id(
    crm: SalesforceCrm, make_order: Callable[..., Order]
) -> None:
    """The name of an opportunity is never empty."""
    body = next(crm.upsert_opportunity(make_order(reference=""), "001", key="k")).read()

    assert f"Order {ORDER_ID}" == json.loads(body)["Name"]


@pytest.mark.parametrize("verb", ["find_account", "find_opportunity"])
def test_what_was_never_made_is_not_found(crm: SalesforceCrm, send: Send, verb: str) -> None:
    """404 for the record is an answer, not an error."""
    assert run(getattr(crm, verb)("C-404"), send) is None


def test_a_missing_field_is_not_a_missing_record(org: Any, send: Send, settings: Settings) -> None:
    """404 for the external id field stops, or every lost answer would look like a lost write."""
    wrong = SalesforceCrm(msgspec.structs.replace(settings, external_id_field="Other__c"))

    with pytest.raises(Misconfigured) as caught:
        run(wrong.find_account("C-1"), send)

    assert "NOT_FOUND" == caught.value.detail


@pytest.mark.parametrize("party_id", ["a.inc", "..", ".", "x.json", "a.b-c_d"])
def test_ids_with_dots_arrive_and_are_found(
    crm: SalesforceCrm, org: Any, send: Send, person: Party, party_id: str
) -> None:
    """A dot neither changes the path nor looks like a file name to Salesforce."""
    party = msgspec.structs.replace(person, party_id=party_id)
    made = run(crm.upsert_account(party, key="k"), send)
    found = run(crm.find_account(party_id), send)

    assert msgspec.structs.replace(made, created=False) == found
    assert {party_id: 1} == org.simulator.effects()["account"]


def test_an_update_without_a_body_is_followed_by_a_read(
    crm: SalesforceCrm, org: Any, send: Send, person: Party
) -> None:
    """204 carries no id, so it is fetched."""
    made = run(crm.upsert_account(person, key="k"), send)
    org.simulator.updates_without_body = True
    again = run(crm.upsert_account(person, key="k"), send)

    assert msgspec.structs.replace(made, created=False) == again
    assert ["PATCH", "GET"] == [request.method for request in org.sent[-2:]]


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (403, "request_limit"),
        (404, "not_permitted"),
        (500, "server_error"),
        (503, "server_unavailable"),
    ],
)
def test_a_failed_read_after_the_write_leaves_doubt(
    crm: SalesforceCrm, org: Any, send: Send, person: Party, status: int, code: str
) -> None:
    """After 204 nothing may say that nothing happened."""
    run(crm.find_account("C-100042"), send)
    refusal = org.simulator.refuse(org.sent[-1], status)
    org.answers = [httpx.Response(204), refusal]

    with pytest.raises(InDoubt) as caught:
        run(crm.upsert_account(person, key="k"), send)

    assert code == caught.value.code


def test_several_records_with_our_id_leave_doubt(
    settings: Settings, org: Any, person: Party
) -> None:
    """300 is neither success nor absence, for the upsert and for the look-up."""
    org.simulator = SalesforceSimulator(unique=False)
    send = with_login(ADAPTER, settings, org.send)
    url = "https://acme.my.salesforce.com/services/data/v67.0/sobjects/Account"
    twin = {"Name": "Twin", "Headrace_Id__c": "C-100042"}
    for _ in range(2):
        assert 201 == send(httpx.Request("POST", url, json=twin)).status_code
    crm = SalesforceCrm(settings)

    for exchange in (crm.upsert_account(person, key="k"), crm.find_account("C-100042")):
        with pytest.raises(InDoubt) as caught:
            run(exchange, send)
        assert "duplicate_in_system" == caught.value.code
    assert {"C-100042": 2} == org.simulator.effects()["account"]


@pytest.mark.parametrize(
    ("field", "party"),
    [
        ("Account.Name", {"names": ("x" * 128, "y" * 127)}),
        ("Account.BillingStreet", {"line1": "x" * 200, "line2": "y" * 55}),
        ("Account.BillingCity", {"city": "x" * 41}),
    ],
)
def test_what_does_not_fit_is_refused_before_sending(
    crm: SalesforceCrm, person: Party, field: str, party: dict[str, Any]
) -> None:
    """One character too many names the field; nothing is cut and nothing sent."""
    if "names" in party:
        long = msgspec.structs.replace(person, **party)
    else:
        long = changed(person, house_number=None, **party)

    with pytest.raises(Rejected) as caught:
        next(crm.upsert_account(long, key="k"))

    assert ("field_too_long", field) == (caught.value.code, caught.value.detail)


def test_what_just_fits_is_taken(crm: SalesforceCrm, org: Any, send: Send, person: Party) -> None:
    """The lengths are Salesforce's own, to the character."""
    names = ("x" * 128, "y" * 126)
    address = Address(
        line1="x" * 200, line2="y" * 54, postal_code="9" * 12, city="z" * 40, country="FR"
    )
    party = msgspec.structs.replace(person, names=names, addresses=(address,))
    run(crm.upsert_account(party, key="k"), send)

    row = org.simulator.rows("Account")[0]
    assert [255, 255, 40] == [len(row[name]) for name in ("Name", "BillingStreet", "BillingCity")]


def test_an_unknown_account_is_refused_without_its_value(
    crm: SalesforceCrm, send: Send, make_order: Callable[..., Order]
) -> None:
    """Their code survives as the detail; their message, which can quote values, does not."""
    with pytest.raises(Rejected) as caught:
        run(crm.upsert_opportunity(make_order(), "001Hr0000009999AAA", key="k"), send)

    assert "INVALID_CROSS_REFERENCE_KEY" == caught.value.detail
    assert "001Hr" not in str(caught.value)


def test_an_expired_token_costs_one_more_login(
    crm: SalesforceCrm, org: Any, send: Send, person: Party
) -> None:
    """The refused request is repeated and makes one record."""
    run(crm.upsert_account(person, key="k"), send)
    org.now += 7_200
    run(crm.upsert_account(person, key="k"), send)

    assert 2 == org.logins
    assert {"C-100042": 1} == org.simulator.effects()["account"]


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, text="<html>Log on</html>"),
        httpx.Response(201, json={"id": "x", "success": True}),
        httpx.Response(201, json={"id": "001Hr0000000001IAA", "success": False}),
        httpx.Response(200, content=b""),
    ],
)
def test_an_unreadable_answer_after_a_write_leaves_doubt(
    crm: SalesforceCrm, person: Party, answer: httpx.Response
) -> None:
    """A 2xx that is not the documented one may have written."""
    with pytest.raises(InDoubt) as caught:
        run(crm.upsert_account(person, key="k"), lambda _: answer)

    assert "answer_unreadable" == caught.value.code


def test_an_unreadable_answer_to_a_read_did_nothing(crm: SalesforceCrm) -> None:
    """A look-up can simply be asked again."""
    with pytest.raises(Unavailable):
        run(crm.find_account("C-1"), lambda _: httpx.Response(200, text="<html></html>"))


@pytest.mark.parametrize(
    ("status", "write", "read"),
    [
        (403, Unavailable, Unavailable),
        (409, Unavailable, Unavailable),
        (423, Unavailable, Unavailable),
        (429, Unavailable, Unavailable),
        (500, InDoubt, Unavailable),
        (503, Unavailable, Unavailable),
    ],
)
def test_refusals_mean_the_same_for_both_verbs_except_where_it_may_have_happened(
    crm: SalesforceCrm,
    org: Any,
    person: Party,
    status: int,
    write: type[HeadraceError],
    read: type[HeadraceError],
) -> None:
    """Only a failure inside Salesforce while writing leaves doubt."""

    def refuse(request: httpx.Request) -> httpx.Response:
        return org.simulator.refuse(request, status)

    with pytest.raises(HeadraceError) as written:
        run(crm.upsert_account(person, key="k"), refuse)
    with pytest.raises(HeadraceError) as found:
        run(crm.find_account("C-1"), refuse)

    assert (write, read) == (type(written.value), type(found.value))


def wire_text(request: httpx.Request) -> str:
    """The request as one readable file: line, headers, body with one field a line."""
    body = request.read().decode()
    if body.startswith("{"):
        body = body.replace(',"', ',\n"')
    head = [f"{request.method} {request.url.raw_path.decode()} HTTP/1.1"]
    head += [f"{name}: {value}" for name, value in request.headers.items()]
    return "\n".join([*head, "", body]).rstrip() + "\n"


@pytest.mark.parametrize(
    "verb",
    ["login", "upsert_account", "find_account", "upsert_opportunity", "find_opportunity"],
)
def test_the_wire_is_the_golden_one(
    crm: SalesforceCrm,
    settings: Settings,
    company: Party,
    make_order: Callable[..., Order],
    verb: str,
) -> None:
    """Each verb sends exactly the request that was reviewed."""
    assert ADAPTER.login is not None
    exchanges = {
        "login": lambda: ADAPTER.login(settings),
        "upsert_account": lambda: crm.upsert_account(company, key="k"),
        "find_account": lambda: crm.find_account("C-7"),
        "upsert_opportunity": lambda: crm.upsert_opportunity(
            make_order(), "001Hr0000000001IAA", key="k"
        ),
        "find_opportunity": lambda: crm.find_opportunity(ORDER_ID),
    }
    text = wire_text(next(exchanges[verb]()))
    path = GOLDEN / f"{verb}.http"
    if os.environ.get("HEADRACE_REGENERATE"):
        path.write_text(text, encoding="utf-8")

    assert path.read_text(encoding="utf-8") == text
