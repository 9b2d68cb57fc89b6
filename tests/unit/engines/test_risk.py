"""The embedded risk engine: what the default table decides, and which tables it refuses."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway.engines.risk import (
    EXPLANATION_BYTES,
    DecisionTableRisk,
    RiskInput,
    default_risk,
    risk_input,
)
from gateway.errors import Misconfigured
from gateway.kit.blocking import run
from gateway.model.instruction import PaymentInstruction
from gateway.model.item import OrderItem
from gateway.model.money import Money
from gateway.model.order import Channel, Order, OrderKind, OrderState
from gateway.model.party import Address, Party, PartyKind
from gateway.model.risk import RiskAssessment, RiskState

ACCEPTED, REVIEW, REJECTED = RiskState.ACCEPTED, RiskState.REVIEW, RiskState.REJECTED
B2C, SME, FLEET, INDIRECT = Channel.B2C, Channel.SME, Channel.FLEET, Channel.INDIRECT


def an_order(
    *,
    channel: Channel = B2C,
    minor: int = 4_590_000,
    currency: str = "EUR",
    countries: tuple[str, ...] = ("DE",),
    kind: PartyKind = PartyKind.PERSON,
    vat_id: str | None = None,
    quantities: tuple[int, ...] = (1,),
    name: str = "Erika Mustermann",
) -> Order:
    addresses = tuple(
        Address(line1="Heidestraße 17", postal_code="51147", city="Köln", country=country)
        for country in countries
    )
    party = Party(
        party_id="C-100042",
        kind=kind,
        names=(name,),
        addresses=addresses,
        vat_id=vat_id,
        email="erika@example.org",
        phone="+49 221 1",
        birth_date="1964-08-12",
    )
    total = Money(minor, currency)
    return Order(
        order_id="0198c0de-0000-7000-8000-000000000001",
        state=OrderState.SUBMITTED,
        channel=channel,
        kind=OrderKind.PURCHASE,
        party=party,
        items=tuple(
            OrderItem(product_id="CAR-1", quantity=quantity, unit_price=total)
            for quantity in quantities
        ),
        total=total,
        payment=PaymentInstruction(method_code="card", token="tok_1"),
        reference="W-1001",
        note="ring twice",
        submitted_at="2026-11-21T12:00:00Z",
        payment_id="0198c0de-0000-7000-8000-000000000002",
    )


def company(**more: Any) -> Order:
    return an_order(**{"kind": PartyKind.ORGANISATION, "vat_id": "DE123", "channel": SME, **more})


def assess(order: Order, risk: DecisionTableRisk | None = None, key: str = "k") -> RiskAssessment:
    def nothing(_: object) -> Any:
        raise AssertionError("the engine asked somebody")

    return run((risk or default_risk()).assess(order, key=key), nothing)


@pytest.mark.parametrize(
    ("order", "decision", "code"),
    [
        (an_order(), ACCEPTED, "WITHIN_LIMITS"),
        (an_order(countries=("KP",)), REJECTED, "COUNTRY_NOT_SERVED"),
        (an_order(countries=("IR",)), REJECTED, "COUNTRY_NOT_SERVED"),
        (an_order(countries=("SY",)), REJECTED, "COUNTRY_NOT_SERVED"),
        (an_order(countries=("RU",)), REJECTED, "COUNTRY_NOT_SERVED"),
        (an_order(countries=("DE", "BY")), REJECTED, "COUNTRY_NOT_SERVED"),
        (an_order(countries=("US",)), REVIEW, "COUNTRY_TO_BE_CHECKED"),
        (an_order(countries=("ZZ",)), REVIEW, "COUNTRY_TO_BE_CHECKED"),
        (an_order(countries=("CH",)), ACCEPTED, "WITHIN_LIMITS"),
        (an_order(countries=("GB", "US")), ACCEPTED, "WITHIN_LIMITS"),
        (company(vat_id=None), REVIEW, "VAT_ID_MISSING"),
        (company(vat_id=None, channel=FLEET), REVIEW, "VAT_ID_MISSING"),
        (company(vat_id=None, channel=INDIRECT), ACCEPTED, "WITHIN_LIMITS"),
        (company(vat_id=None, kind=PartyKind.PERSON), ACCEPTED, "WITHIN_LIMITS"),
        (company(), ACCEPTED, "WITHIN_LIMITS"),
        (an_order(quantities=(50,)), ACCEPTED, "WITHIN_LIMITS"),
        (an_order(quantities=(26, 25)), REVIEW, "TOO_MANY_PIECES"),
        (company(quantities=(51,)), ACCEPTED, "WITHIN_LIMITS"),
        (an_order(minor=5_000_000), ACCEPTED, "WITHIN_LIMITS"),
        (an_order(minor=5_000_001), REVIEW, "AMOUNT_ABOVE_LIMIT"),
        (company(minor=20_000_000), ACCEPTED, "WITHIN_LIMITS"),
        (company(minor=20_000_001), REVIEW, "AMOUNT_ABOVE_LIMIT"),
        (company(minor=100_000_000, channel=FLEET), ACCEPTED, "WITHIN_LIMITS"),
        (company(minor=100_000_001, channel=FLEET), REVIEW, "AMOUNT_ABOVE_LIMIT"),
        (company(minor=100_000_000, channel=INDIRECT), ACCEPTED, "WITHIN_LIMITS"),
        (company(minor=100_000_001, channel=INDIRECT), REVIEW, "AMOUNT_ABOVE_LIMIT"),
        (an_order(minor=5_000_001, currency="JPY"), ACCEPTED, "WITHIN_LIMITS"),
        (an_order(minor=8_000_000, currency="JPY"), ACCEPTED, "WITHIN_LIMITS"),
        (an_order(minor=8_000_001, currency="JPY"), REVIEW, "AMOUNT_ABOVE_LIMIT"),
        (an_order(minor=50_000_001, currency="SEK"), REVIEW, "AMOUNT_ABOVE_LIMIT"),
        (an_order(minor=20_000_001, currency="PLN"), REVIEW, "AMOUNT_ABOVE_LIMIT"),
        (an_order(minor=125_000_001, currency="CZK"), REVIEW, "AMOUNT_ABOVE_LIMIT"),
        (an_order(minor=2_000_000_001, currency="HUF"), REVIEW, "AMOUNT_ABOVE_LIMIT"),
        (an_order(minor=1, currency="KWD"), REVIEW, "CURRENCY_WITHOUT_LIMIT"),
        (an_order(minor=9_007_199_254_740_993), REVIEW, "AMOUNT_ABOVE_LIMIT"),
        (an_order(minor=0), ACCEPTED, "WITHIN_LIMITS"),
        (an_order(minor=9_000_000, countries=("KP",)), REJECTED, "COUNTRY_NOT_SERVED"),
    ],
)
def test_the_default_table_decides(order: Order, decision: RiskState, code: str) -> None:
    """Each row at its edge: the last value it lets through and the first it stops."""
    assessment = assess(order)

    assert (decision, [code]) == (
        assessment.decision,
        [reason.code for reason in assessment.reasons],
    )


@pytest.mark.parametrize(
    ("order", "offered", "withheld"),
    [
        (an_order(), {"card", "invoice", "sepa_debit"}, set()),
        (an_order(minor=5_000_001), {"card", "paypal"}, {"invoice", "sepa_debit", "klarna"}),
        (an_order(countries=("KP",)), set(), {"card", "invoice"}),
    ],
)
def test_methods_follow_the_decision(order: Order, offered: set[str], withheld: set[str]) -> None:
    """Under review only what is paid beforehand is offered; after a refusal nothing is."""
    methods = set(assess(order).methods_allowed)

    assert offered <= methods
    assert set() == methods & withheld


def test_an_assessment_says_whose_it_is_and_why() -> None:
    """Order, party, purpose, table and a sentence for people stand in it."""
    table = Path(__file__).parents[3] / "gateway/engines/risk_default.json"
    digest = hashlib.sha256(table.read_bytes()).hexdigest()[:12]
    assessment = assess(an_order(countries=("KP",)))

    assert ("C-100042", "order_acceptance") == (assessment.party_id, assessment.purpose)
    assert "0198c0de-0000-7000-8000-000000000001" == assessment.order_id
    assert f"default@{digest}" == assessment.strategy_version
    assert assessment.reasons[0].text.endswith(".")
    assert not assessment.degraded


def test_the_same_order_is_decided_the_same_way() -> None:
    """Nothing in an assessment depends on the clock or on the process."""
    assert assess(an_order()) == assess(an_order(), default_risk())


def test_the_key_makes_the_id() -> None:
    """A repetition is the same assessment, another key another one of the same input."""
    first, again, other = (assess(an_order(), key=key) for key in ("k1", "k1", "k2"))

    assert first.assessment_id == again.assessment_id
    assert first.assessment_id != other.assessment_id
    assert first.inputs_hash == other.inputs_hash


def test_the_hash_is_of_what_was_looked_at() -> None:
    """It changes with the input and not with the person's name."""
    one, renamed, dearer = (
        assess(order).inputs_hash
        for order in (an_order(), an_order(name="Max Müller"), an_order(minor=4_590_001))
    )

    assert one == renamed
    assert one != dearer


def test_the_explanation_shows_the_row_and_no_person() -> None:
    """The trace of the table is kept; names, addresses and tokens never went in."""
    assessment = assess(an_order(minor=5_000_001))
    steps = {step["id"]: step for step in json.loads(assessment.explanation)}

    assert "limit-b2c-eur-like" == steps["acceptance"]["traceData"]["rule"]["_id"]
    assert 5_000_001 == steps["acceptance"]["input"]["amount_minor"]
    for private in ("Erika", "example.org", "Heide", "Köln", "51147", "tok_1", "C-1000", "1964"):
        assert private not in assessment.explanation


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("amount_minor", "5000001"),
        ("amount_minor", 1.5),
        ("amount_minor", -1),
        ("amount_minor", 10**18),
        ("currency", "euro"),
        ("channel", "WEB"),
        ("country", "Deutschland"),
        ("countries", ("DE", "de")),
        ("countries", ()),
        ("item_count", 0),
        ("has_vat_id", "yes"),
        ("method_code", "Card!"),
        ("name", "Erika"),
    ],
)
def test_wrong_types_never_reach_the_table(field: str, value: Any) -> None:
    """The engine below would let a string fall through a number column to the default row."""
    fields = msgspec.to_builtins(risk_input(an_order()))
    msgspec.convert(fields, RiskInput)

    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({**fields, field: value}, RiskInput)


@pytest.mark.parametrize("minor", ["5000001", -1])
def test_an_order_with_a_wrong_value_is_not_decided(minor: Any) -> None:
    """Structs check nothing when they are made; the engine does."""
    with pytest.raises(Misconfigured) as caught:
        assess(an_order(minor=minor))

    assert "risk_input_invalid" == caught.value.code
    assert "$.amount_minor" in caught.value.detail


@pytest.fixture
def graph() -> dict[str, Any]:
    """A table with one limit and a default."""
    text = '"REVIEW"', '["card"]', '"A"', '"Because."'
    outputs = ("decision", "methods_allowed", "reason.code", "reason.text")
    named = {f"o{place}": cell for place, cell in enumerate(text)}
    content = {
        "hitPolicy": "first",
        "inputs": [{"id": "i", "name": "Amount", "field": "amount_minor"}],
        "outputs": [
            {"id": f"o{n}", "name": field, "field": field} for n, field in enumerate(outputs)
        ],
        "rules": [{"_id": "1", "i": "> 100", **named}, {"_id": "2", "i": "", **named}],
    }
    return {
        "nodes": [
            {"id": "in", "type": "inputNode", "name": "in", "position": {"x": 0, "y": 0}},
            {
                "id": "t",
                "type": "decisionTableNode",
                "name": "t",
                "position": {"x": 0, "y": 0},
                "content": content,
            },
            {"id": "out", "type": "outputNode", "name": "out", "position": {"x": 0, "y": 0}},
        ],
        "edges": [
            {"id": "e1", "type": "edge", "sourceId": "in", "targetId": "t"},
            {"id": "e2", "type": "edge", "sourceId": "t", "targetId": "out"},
        ],
    }


def load(graph: dict[str, Any]) -> DecisionTableRisk:
    return DecisionTableRisk(json.dumps(graph).encode(), "test")


def the_table(graph: dict[str, Any]) -> dict[str, Any]:
    content: dict[str, Any] = graph["nodes"][1]["content"]
    return content


def test_a_sound_table_loads_and_decides(graph: dict[str, Any]) -> None:
    """The graph that the following tests break is whole."""
    assert REVIEW is assess(an_order(), load(graph)).decision


FUNCTION = {
    "id": "f",
    "type": "functionNode",
    "name": "f",
    "position": {"x": 0, "y": 0},
    "content": {"source": "export const handler = async (input) => ({...input});"},
}


@pytest.mark.parametrize(
    ("breakage", "cause"),
    [
        (lambda g: g["nodes"].append(FUNCTION), "not allowed: functionNode"),
        (lambda g: g["nodes"][1].update(type="customNode"), "not allowed: customNode"),
        (lambda g: g["nodes"].pop(1), "0 decision tables"),
        (lambda g: g["nodes"].append({**g["nodes"][1], "id": "t2"}), "2 decision tables"),
        (lambda g: the_table(g).update(hitPolicy="collect"), "hitPolicy"),
        (lambda g: the_table(g).update(inputField="country"), "inputField"),
        (lambda g: the_table(g).update(outputPath="country"), "outputPath"),
        (lambda g: the_table(g).update(executionMode="loop"), "executionMode"),
        (lambda g: the_table(g)["rules"].pop(), "the last row must be the default"),
        (lambda g: the_table(g).update(rules=[]), "rules"),
        (lambda g: the_table(g)["inputs"][0].update(field="amont_minor"), "'amont_minor'"),
        (lambda g: the_table(g)["outputs"].pop(), "outputs must be"),
        (lambda g: the_table(g)["rules"][0].update(i="> ("), "row 1, amount_minor"),
        (lambda g: the_table(g)["rules"][0].update(i='> "5"'), "row 1, amount_minor"),
        (lambda g: the_table(g)["rules"][0].update(i="> country"), "row 1, amount_minor"),
        (lambda g: the_table(g)["rules"][1].pop("o1"), "row 2, answer"),
        (lambda g: the_table(g)["rules"][0].update(o0='"MAYBE"'), "row 1, answer"),
        (lambda g: the_table(g)["rules"][0].update(o0="country"), "row 1, answer"),
        (lambda g: the_table(g)["rules"][0].update(o1='["Card!"]'), "$.methods_allowed[0]"),
        (lambda g: the_table(g)["rules"][0].update(i=7), "rules[0]"),
        (lambda g: g.pop("edges"), "edges"),
    ],
)
def test_a_table_that_may_go_wrong_is_refused_when_it_is_loaded(
    graph: dict[str, Any], breakage: Callable[[dict[str, Any]], Any], cause: str
) -> None:
    """The start stops, not a customer, and the message says where."""
    breakage(graph)

    with pytest.raises(Misconfigured) as caught:
        load(graph)

    assert "risk_table_invalid" == caught.value.code
    assert cause in caught.value.message
    assert "backtrace" not in caught.value.message


@pytest.mark.parametrize("table", [b"", b"nonsense", b"{}", b"\xff", b'{"nodes": 1}'])
def test_what_is_no_table_is_refused(table: bytes) -> None:
    """Rubbish is named as such."""
    with pytest.raises(Misconfigured):
        DecisionTableRisk(table, "test")


def test_a_table_without_a_way_through_is_refused(graph: dict[str, Any]) -> None:
    """A trial order at the start shows that no answer comes out."""
    graph["edges"].pop(0)

    with pytest.raises(Misconfigured) as caught:
        load(graph)

    assert "risk_answer_invalid" == caught.value.code


def test_a_graph_that_runs_in_a_circle_is_refused(graph: dict[str, Any]) -> None:
    """What the engine itself refuses arrives as one sentence, without its stack."""
    graph["edges"].append({"id": "e3", "type": "edge", "sourceId": "out", "targetId": "t"})

    with pytest.raises(Misconfigured) as caught:
        load(graph)

    assert "risk_table_invalid" == caught.value.code
    assert "backtrace" not in f"{caught.value.message} {caught.value.detail}"


def test_a_table_that_refuses_an_order_stops(graph: dict[str, Any]) -> None:
    """A schema in the graph can say no to one order; that is a fault of the table, told short."""
    schema = {"type": "object", "properties": {"amount_minor": {"maximum": 1_000}}}
    graph["nodes"][0]["content"] = {"schema": json.dumps(schema)}
    risk = load(graph)

    with pytest.raises(Misconfigured) as caught:
        assess(an_order(minor=1_001), risk)

    assert "risk_table_failed" == caught.value.code
    assert "backtrace" not in caught.value.detail


def test_a_long_trace_is_shortened_and_still_json(graph: dict[str, Any]) -> None:
    """The rule that decided stays, whatever else the table had to say."""
    the_table(graph)["rules"][1]["_description"] = "x" * 4_000
    the_table(graph)["rules"][1]["o3"] = json.dumps("y" * 3_900)
    the_table(graph)["rules"][1]["o2"] = json.dumps("z" * 3_900)
    assessment = assess(an_order(minor=1), load(graph))

    assert EXPLANATION_BYTES >= len(assessment.explanation.encode())
    assert [{"shortened": True, "rule": "2"}] == json.loads(assessment.explanation)


def test_published_graphs_with_functions_are_refused(contracts: Path) -> None:
    """Two of GoRules' own examples run JavaScript; neither loads here."""
    details = []
    for name in ("aml.json", "company-analysis.json"):
        with pytest.raises(Misconfigured) as caught:
            DecisionTableRisk((contracts / "domain" / "jdm" / name).read_bytes(), name)
        details.append(caught.value.detail)

    assert [
        "not allowed: functionNode, switchNode",
        "not allowed: functionNode",
    ] == details
