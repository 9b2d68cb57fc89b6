"""The command line against a whole landscape: what an operator sees and does."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from gateway.commands.landscape import _SECRETS, TENANT, Landscape
from gateway.commands.operate import actor
from tests.e2e.postgres import Postgres
from tests.flows.postgres import own_folder

ROOT = Path(__file__).resolve().parents[2]
EMAIL = "zoe.unmistakable@example.org"


@pytest.fixture(scope="module")
def landscape() -> Iterator[Landscape]:
    """Database, simulators, facade and a worker; who is away stays away until a person acts."""
    found = Landscape(
        own_folder(),
        patience={"unavailable_s": [3600.0]},
        policy={"breaker_minimum": 1_000},  # many tests let the ERP fail; each begins afresh
    )
    found.prepare()
    try:
        found.start_simulators()
        found.start_serve()
        found.start_worker("worker-1")
        yield found
    finally:
        found.stop()
        found.client.close()
        Postgres(found.folder).end()


def headrace(landscape: Landscape, *arguments: str) -> subprocess.CompletedProcess[str]:
    """One command, as an operator types it."""
    return subprocess.run(
        [sys.executable, "-m", "gateway", *arguments, "--config", str(landscape.config)],
        env=os.environ | _SECRETS | {"PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def told(landscape: Landscape, *arguments: str) -> Any:
    """What a command says to a machine."""
    done = headrace(landscape, *arguments, "--json")
    assert 0 == done.returncode, done.stderr
    return json.loads(done.stdout)


def new_order(quantity: int = 1, party: str = "C-1") -> dict[str, Any]:
    """An order that risk accepts; above 50 pieces a person has to look."""
    return {
        "channel": "B2C",
        "party": {
            "party_id": party,
            "kind": "PERSON",
            "names": ["Zoë", "Unverwechselbar"],
            "email": EMAIL,
            "addresses": [
                {
                    "line1": "Hauptstraße",
                    "house_number": "1",
                    "postal_code": "10115",
                    "city": "Berlin",
                    "country": "DE",
                }
            ],
        },
        "items": [
            {
                "product_id": "CAR-1",
                "quantity": quantity,
                "unit_price": {"amount": "10.00", "currency": "EUR"},
            }
        ],
        "total": {"amount": f"{10 * quantity}.00", "currency": "EUR"},
        "payment": {"method_code": "card", "token": "pm_card_visa"},
    }


def place(landscape: Landscape, order: dict[str, Any], *, wait_s: int = 0) -> str:
    """Place an order through the facade and return its id."""
    answer = httpx.post(
        f"{landscape.facade}/v1/orders",
        json=order,
        headers={"Idempotency-Key": str(time.monotonic_ns()), "Prefer": f"wait={wait_s}"},
        timeout=40.0,
        trust_env=False,
    )
    order_id: str = answer.raise_for_status().json()["order_id"]
    return order_id


def state_of(landscape: Landscape, order_id: str) -> str:
    """Where an order stands."""
    url = f"{landscape.facade}/v1/orders/{order_id}"
    state: str = httpx.get(url, timeout=5.0, trust_env=False).json()["state"]
    return state


def wait_until(happened: Callable[[], bool], what: str) -> None:
    """Return when it has happened."""
    until = time.monotonic() + 30
    while not happened():
        assert time.monotonic() < until, f"it did not happen that {what}"
        time.sleep(0.1)


@pytest.fixture(scope="module")
def completed(landscape: Landscape) -> str:
    """An order that has come to its good end, with all its spans written."""
    order_id = place(landscape, new_order(), wait_s=25)
    assert "COMPLETED" == state_of(landscape, order_id)

    def has_flow() -> bool:
        return "flow" in json.dumps(told(landscape, "trace", order_id))

    wait_until(has_flow, "the spans were written")
    return order_id


def flat(branches: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """All branches of a tree."""
    return [one for branch in branches for one in (branch, *flat(branch["children"]))]


def test_a_trace_is_one_tree_from_the_facade_down(landscape: Landscape, completed: str) -> None:
    """The request is the root; the flow, its steps and the calls to systems hang below it."""

    def read() -> list[dict[str, Any]]:
        spans: list[dict[str, Any]] = told(landscape, "trace", completed)["spans"]
        return spans

    wait_until(lambda: not [one for one in flat(read()) if not one["span"]], "all spans came")
    roots = read()
    names = {one["span"]["name"] for one in flat(roots)}

    assert ["POST /v1/orders"] == [one["span"]["name"] for one in roots]
    assert {"stripe.create_payment", "sap_s4.create_sales_order"} <= names

    drawn = headrace(landscape, "trace", completed).stdout
    line = next(one for one in drawn.splitlines() if "stripe.create_payment" in one)

    assert " ms" in line
    assert "worker@" in line
    assert line.index("stripe") > drawn.splitlines()[1].index("POST")
    assert EMAIL not in drawn


def test_a_timeline_tells_everything_in_order(landscape: Landscape, completed: str) -> None:
    """Events, steps, attempts and the webhook stand by their time."""
    entries = told(landscape, "timeline", completed)["entries"]
    kinds = {entry["what"] for entry in entries}

    assert {"event", "step", "attempt", "webhook", "document"} <= kinds
    assert sorted(entry["at"] for entry in entries) == [entry["at"] for entry in entries]
    assert "stripe.create_payment" in headrace(landscape, "timeline", completed).stdout


def test_evidence_shows_transcripts_without_persons(landscape: Landscape, completed: str) -> None:
    """One step's request and answer can be read, and nobody and no secret stands in them."""
    step = headrace(landscape, "evidence", completed, "--step", "payments.create_payment").stdout
    everything = headrace(landscape, "evidence", completed).stdout

    assert re.search(r"made by sap_s4\.sales_order \d+\.\d+\.\d+ [0-9a-f]{16}\n", everything)

    assert "/v1/payment_intents" in step
    assert "A_SalesOrder" not in step
    assert "A_SalesOrder" in everything
    for secret in (EMAIL, "Unverwechselbar", *_SECRETS.values()):
        assert secret not in everything
    assert 1 == headrace(landscape, "evidence", completed, "--step", "none").returncode


def test_orders_that_nobody_knows_fail(landscape: Landscape) -> None:
    """Exit code 1 and a sentence, no traceback."""
    for command in ("trace", "timeline", "evidence"):
        done = headrace(landscape, command, "nobody")
        assert (1, True) == (done.returncode, done.stderr.startswith("headrace: There is no"))


def test_a_review_is_decided_once(landscape: Landscape) -> None:
    """Accepting lets the order go on, under the operator's name; a second word is refused."""
    order_id = place(landscape, new_order(60))
    wait_until(lambda: state_of(landscape, order_id) == "RISK_REVIEW", "risk asked for a person")
    because = ("--reason", "called the customer")

    assert 2 == headrace(landscape, "flows", "review", order_id, "--accept").returncode
    assert 2 == headrace(landscape, "flows", "review", order_id, *because).returncode
    done = told(landscape, "flows", "review", order_id, "--accept", *because)

    assert actor() == done["actor"]
    wait_until(lambda: state_of(landscape, order_id) == "COMPLETED", "the order completed")
    decision = told(landscape, "flows", "show", order_id)["decisions"][0]
    assert ("review", "ACCEPTED", actor(), "called the customer") == (
        decision["action"],
        decision["payload"],
        decision["actor"],
        decision["reason"],
    )
    assert 1 == headrace(landscape, "flows", "review", order_id, "--reject", *because).returncode


def test_a_rejected_review_ends_the_order(landscape: Landscape) -> None:
    """Nothing was sent to anybody for it."""
    order_id = place(landscape, new_order(60))
    wait_until(lambda: state_of(landscape, order_id) == "RISK_REVIEW", "risk asked for a person")

    told(landscape, "flows", "review", order_id, "--reject", "--reason", "a prank")

    wait_until(lambda: state_of(landscape, order_id) == "REJECTED", "the order was rejected")
    assert 1 == headrace(landscape, "evidence", order_id).returncode


def parked(landscape: Landscape, party: str) -> str:
    """An order that is parked because the ERP is away."""
    landscape.fault("sap_s4", kind="status", status=503, count=-1)
    order_id = place(landscape, new_order(party=party))

    def is_parked() -> bool:
        found = told(landscape, "flows", "list", "--reason", "unavailable")
        return order_id in [flow["business_id"] for flow in found]

    wait_until(is_parked, "the flow was parked")
    return order_id


def test_a_parked_flow_is_resumed(landscape: Landscape) -> None:
    """It is listed with its reason, stays until a person acts, and then completes."""
    order_id = parked(landscape, "C-2")
    landscape.mend("sap_s4")
    shown = told(landscape, "flows", "show", order_id)

    assert ("PARKED", "unavailable") == (shown["state"], shown["reason"])
    assert "PARKED" in headrace(landscape, "flows", "list").stdout
    assert [] == told(landscape, "flows", "list", "--reason", "in_doubt")
    assert 2 == headrace(landscape, "flows", "resume", order_id).returncode

    told(landscape, "flows", "resume", order_id, "--reason", "SAP is back")

    wait_until(lambda: state_of(landscape, order_id) == "COMPLETED", "the order completed")
    wait_until(
        lambda: told(landscape, "flows", "show", order_id)["state"] == "COMPLETED", "it ended"
    )
    again = headrace(landscape, "flows", "resume", order_id, "--reason", "once more")
    assert (1, True) == (again.returncode, "not parked" in again.stderr)
    decisions = told(landscape, "flows", "show", order_id)["decisions"]
    assert [("resume", "SAP is back")] == [(one["action"], one["reason"]) for one in decisions]


def test_a_parked_flow_is_cancelled(landscape: Landscape) -> None:
    """What was done is undone, and no money moves."""
    order_id = parked(landscape, "C-3")
    landscape.mend("sap_s4")

    told(landscape, "flows", "cancel", order_id, "--reason", "the customer called")

    wait_until(lambda: state_of(landscape, order_id) == "CANCELLED", "the order was cancelled")
    payments = f"{landscape.effects('stripe')}"
    assert order_id not in payments


def test_a_step_is_retried_from(landscape: Landscape) -> None:
    """A finished step is forgotten and done again; one that is not finished is refused."""
    order_id = parked(landscape, "C-4")
    landscape.mend("sap_s4")
    because = ("--reason", "its account was merged")

    unknown = headrace(landscape, "flows", "retry-from", order_id, "no.such_step", *because)
    told(landscape, "flows", "retry-from", order_id, "crm.upsert_account", *because)

    assert (1, True) == (unknown.returncode, "no.such_step" in unknown.stderr)
    wait_until(lambda: state_of(landscape, order_id) == "COMPLETED", "the order completed")
    attempts = told(landscape, "evidence", order_id, "--step", "crm.upsert_account")
    assert 1 < len([one for one in attempts if one["verb"] != "login"])


def test_a_step_is_skipped(landscape: Landscape) -> None:
    """What a person did by hand is taken as done, with the value it would have returned."""
    order_id = parked(landscape, "C-5")
    step = told(landscape, "flows", "show", order_id)["step"]
    value = {
        "entity": "BUSINESS_PARTNER",
        "entity_id": "C-5",
        "system": "sap_s4",
        "external_id": "17100099",
    }
    because = ("--reason", "made by hand in BP")

    wrong = headrace(landscape, "flows", "skip", order_id, step, "--value", "{", *because)
    told(landscape, "flows", "skip", order_id, step, "--value", json.dumps(value), *because)

    def goes_on() -> bool:
        shown = told(landscape, "flows", "show", order_id)
        return shown["state"] == "PARKED" and shown["step"] == "erp.create_sales_order"

    wait_until(goes_on, "the flow stands at the next step")
    landscape.mend("sap_s4")
    told(landscape, "flows", "cancel", order_id, "--reason", "end of the test")
    assert (2, "erp.upsert_business_partner") == (wrong.returncode, step)


def test_a_parked_webhook_is_applied_again(landscape: Landscape) -> None:
    """It is listed, leaves the list when it is retried, and cannot be retried twice."""
    with psycopg.connect(landscape.url, autocommit=True) as connection:
        found = connection.execute(
            "insert into headrace.inbox (tenant, system, dedupe_key, body, traceparent, state,"
            " reason) values (%s, 'stripe', 'evt_by_hand', '{}', '', 'PARKED', 'unknown')"
            " returning seq",
            (TENANT,),
        ).fetchone()
        assert found is not None
        seq = found[0]
        listed = told(landscape, "webhooks", "list")

        told(landscape, "webhooks", "retry", str(seq))

        def is_seen() -> bool:
            row = connection.execute(
                "select tries, state from headrace.inbox where seq = %s", (seq,)
            ).fetchone()
            return row is not None and row[0] > 0

        assert [(seq, "evt_by_hand")] == [(one["seq"], one["dedupe_key"]) for one in listed]
        wait_until(is_seen, "the delivery was looked at again")
    assert 1 == headrace(landscape, "webhooks", "retry", "999999").returncode


def test_lost_webhooks_are_filled_in(landscape: Landscape, completed: str) -> None:
    """What the inbox lacks comes from the provider's list, once; who may not ask is told."""
    with psycopg.connect(landscape.url, autocommit=True) as connection:
        lost = connection.execute(
            "delete from headrace.inbox where business_id = %s returning dedupe_key", (completed,)
        ).fetchall()
        assert lost

        (first,) = told(landscape, "webhooks", "fill", "--system", "stripe")
        (again,) = told(landscape, "webhooks", "fill", "--tenant", TENANT)

        found = connection.execute("select dedupe_key from headrace.inbox where filled").fetchall()
    assert {*lost} <= {*found}
    assert (len(found), "") == (first["filled"], first["problem"])
    assert (0, first["known"] + first["filled"]) == (again["filled"], again["known"])
    assert "stripe" in headrace(landscape, "webhooks", "fill").stdout
    for wrong in (("--since", "2020-01-01"), ("--since", "soon"), ("--system", "sap")):
        assert 2 == headrace(landscape, "webhooks", "fill", *wrong).returncode

    landscape.fault("stripe", kind="status", status=403, count=1)
    refused = headrace(landscape, "webhooks", "fill", "--json")
    landscape.mend("stripe")

    assert (1, True) == (refused.returncode, "access_refused" in refused.stdout)


def test_check_names_what_is_configured_and_logs_in(landscape: Landscape) -> None:
    """The table holds every system; a login really reaches the system."""
    systems = told(landscape, "check")["systems"]

    assert {"stripe", "sap", "salesforce", "rules"} == {one["system"] for one in systems}
    assert "logged in" in told(landscape, "check", "--system", "sap")["login"]
    assert "nothing was sent" in told(landscape, "check", "--system", "stripe")["login"]
    assert 2 == headrace(landscape, "check", "--system", "nowhere").returncode

    landscape.fault("salesforce", kind="status", status=503, count=-1)
    away = headrace(landscape, "check", "--system", "salesforce")
    landscape.mend("salesforce")

    assert (1, True) == (away.returncode, "acme/salesforce" in away.stderr)


def test_a_verb_is_called_by_hand(landscape: Landscape, completed: str) -> None:
    """Looking up needs nothing more; what may change something needs --yes."""
    given = ("sap", "find_sales_order", json.dumps({"order_id": completed}))

    found = headrace(landscape, "call", TENANT, *given)
    writing = ("sap", "upsert_business_partner", json.dumps({"party": new_order()["party"]}))
    refused = headrace(landscape, "call", TENANT, *writing)
    done = headrace(landscape, "call", TENANT, *writing, "--yes")

    assert (0, completed) == (found.returncode, json.loads(found.stdout)["entity_id"])
    assert (2, True) == (refused.returncode, "--yes" in refused.stderr)
    assert "BUSINESS_PARTNER" == json.loads(done.stdout)["entity"]


def test_an_explanation_has_no_effect(landscape: Landscape, tmp_path: Path) -> None:
    """Nothing is stored, nothing is sent, and the requests show nobody."""
    file = tmp_path / "order.json"
    file.write_text(json.dumps(new_order(party="C-explained")))
    before = [landscape.effects(product) for product in ("stripe", "sap_s4", "salesforce")]
    for product in ("stripe", "sap_s4", "salesforce"):
        landscape.fault(product, kind="status", status=500, count=1)

    shown = told(landscape, "explain", str(file))
    text = headrace(landscape, "explain", str(file)).stdout

    # The faults are still there: nobody has asked.
    assert 500 == httpx.get(f"{landscape.address('stripe')}/v1/x", trust_env=False).status_code
    for product in ("stripe", "sap_s4", "salesforce"):
        landscape.mend(product)
    assert before == [landscape.effects(p) for p in ("stripe", "sap_s4", "salesforce")]
    assert "ACCEPTED" == shown["assessment"]["decision"]
    steps = [one["step"] for one in shown["requests"]]
    assert "payments.create_payment" in steps
    assert "/v1/payment_intents" in text
    for secret in (EMAIL, "Unverwechselbar", *_SECRETS.values()):
        assert secret not in text + json.dumps(shown)
