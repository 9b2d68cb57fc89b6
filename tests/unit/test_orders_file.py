"""The two hundred orders of the tutorial are what their lines say they are."""

import importlib
import importlib.util
import json
import re
from collections import Counter
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from gateway.engines.risk import default_risk
from gateway.kit.blocking import run
from gateway.model import codec
from gateway.model.money import Money
from gateway.model.order import NewOrder, Order, OrderState
from gateway.model.risk import RiskState
from gateway.policy.validation import Invalid, read_order

TUTORIAL = Path(__file__).parents[2] / "docs" / "tutorial"
CURRENCIES = ("EUR", "SEK", "DKK", "PLN", "CZK", "CHF", "JPY")
LINES: list[dict[str, Any]] = [
    json.loads(line)
    for line in (TUTORIAL / "orders.jsonl").read_text(encoding="utf-8").splitlines()
]
REFUSED = [line for line in LINES if line["expect"] == "refused"]
GOOD = [line for line in LINES if line["expect"] != "refused"]
ORDERS = [codec.convert(line["order"], NewOrder) for line in GOOD]


def mistakes(line: dict[str, Any]) -> set[str]:
    """JSON pointers of what the facade finds wrong in a line, or the header that is missing."""
    if "idempotency_key" not in line:
        return {"Idempotency-Key"}
    try:
        read_order(json.dumps(line["order"]).encode(), currencies=CURRENCIES)
    except Invalid as invalid:
        return {error.pointer for error in invalid.errors}
    return set()


def submitted(order: NewOrder, number: int) -> Order:
    fields = {name: getattr(order, name) for name in order.__struct_fields__}
    return Order(
        order_id=f"order-{number}",
        payment_id=f"payment-{number}",
        state=OrderState.SUBMITTED,
        submitted_at="2026-11-21T12:00:00Z",
        **fields,
    )


def test_there_are_two_hundred() -> None:
    """The tutorial counts on it, and on how many end in which way."""
    assert {"completed": 168, "rejected": 6, "cancelled": 8, "refused": 18} == Counter(
        line["expect"] for line in LINES
    )


def test_a_line_has_what_the_tutorial_reads() -> None:
    """Key, expectation and order; refused ones name their field, one has no key."""
    usual = {"idempotency_key", "expect", "order"}

    assert [line for line in GOOD if set(line) != usual] == []
    assert {frozenset(usual | {"field"}): 17, frozenset({"expect", "field", "order"}): 1} == (
        Counter(frozenset(line) for line in REFUSED)
    )


def test_keys_are_unique() -> None:
    """No order is taken for the repetition of another."""
    keys = [line["idempotency_key"] for line in LINES if "idempotency_key" in line]

    assert len(keys) == len(set(keys))


@pytest.mark.parametrize("number", range(len(GOOD)))
def test_a_good_order_has_no_mistake(number: int) -> None:
    """The facade finds nothing wrong in it."""
    assert set() == mistakes(GOOD[number])


@pytest.mark.parametrize("line", REFUSED, ids=[line["field"] for line in REFUSED])
def test_a_refused_order_is_wrong_where_it_says(line: dict[str, Any]) -> None:
    """The facade names the field; whatever else it names is the total that follows from it."""
    found = mistakes(line)

    assert line["field"] in found
    assert [p for p in found - {line["field"]} if not p.startswith("/total/")] == []


def test_the_order_without_key_has_no_other_mistake() -> None:
    """It is refused for the missing header alone."""
    (line,) = [line for line in REFUSED if "idempotency_key" not in line]

    assert set() == mistakes({**line, "idempotency_key": "any"})


def test_each_mistake_is_another_one() -> None:
    """Eighteen refused orders in at least a dozen fields."""
    assert len({line["field"] for line in REFUSED}) >= 12


def test_risk_decides_as_expected() -> None:
    """The default table rejects the rejected and accepts all others."""
    risk = default_risk()
    wrong = []
    for number, (line, order) in enumerate(zip(GOOD, ORDERS, strict=True)):
        key = f"key-{number}"
        decision = run(risk.assess(submitted(order, number), key=key), _no_request).decision
        wanted = RiskState.REJECTED if line["expect"] == "rejected" else RiskState.ACCEPTED
        if decision is not wanted:
            wrong.append(f"{order.reference}: {decision} instead of {wanted}")

    assert wrong == []


def _no_request(request: object) -> Any:
    raise AssertionError(request)


def test_declined_cards_are_the_cancelled_ones() -> None:
    """The provider's test card decides, and nothing else differs."""
    tokens = {
        expect: {line["order"]["payment"]["token"] for line in GOOD if line["expect"] == expect}
        for expect in ("completed", "cancelled")
    }

    assert tokens == {"completed": {"pm_card_visa"}, "cancelled": {"pm_card_chargeDeclined"}}


def test_customers_live_all_over_europe() -> None:
    """Fifteen countries, Germany above all."""
    countries = Counter(order.party.addresses[0].country for order in ORDERS)

    assert set("DE AT NL FR ES IT PL SE DK CZ IE FI PT BE CH".split()) <= set(countries)
    assert countries.most_common(1)[0][0] == "DE"


def test_seven_currencies_are_used() -> None:
    """One of them, JPY, has no decimals."""
    assert set(CURRENCIES) == {order.total.currency for order in ORDERS}
    assert all("." not in o.total.amount for o in ORDERS if o.total.currency == "JPY")


def test_every_kind_and_channel_occurs() -> None:
    """Purchases, memberships and leases; private people, companies, fleets, partners."""
    assert len({order.kind for order in ORDERS}) == 3
    assert len({order.channel for order in ORDERS}) == 4


@pytest.mark.parametrize("letter", "äöüßñłøåéçčřıÓ'-&")
def test_names_are_not_ascii(letter: str) -> None:
    """What breaks encodings and markup occurs in names of customers."""
    names = " ".join(order.party.display_name for order in ORDERS)

    assert letter in names


def test_customers_come_back() -> None:
    """A dozen and more orders are by a customer of another order, with the same data."""
    parties = Counter(order.party.party_id for order in ORDERS)
    different = {(o.party.party_id, codec.encode(o.party)) for o in ORDERS}

    assert sum(parties.values()) - len(parties) >= 12
    assert len(parties) == len(different)


def test_nobody_is_real() -> None:
    """Mail goes to the domains that RFC 2606 keeps for examples; no card or account number."""
    text = json.dumps(GOOD)
    domains = {order.party.email.rpartition("@")[2] for order in ORDERS if order.party.email}

    assert {"example.com", "example.org", "example.net"} == domains
    assert re.findall(r"(?<!\d)\d{13,19}(?!\d)", text) == []


def test_vat_ids_have_right_checksums() -> None:
    """Every company has one, and an authority's check digit fits."""
    stdnum = pytest.importorskip("stdnum")
    uid = importlib.import_module("stdnum.ch.uid")
    wrong = []
    for order in ORDERS:
        number = order.party.vat_id
        if number is None:
            assert order.channel == "B2C"
            continue
        country = number[:2].lower()
        check = uid if country == "ch" else stdnum.get_cc_module(country, "vat")
        if not check.is_valid(number):
            wrong.append(number)

    assert wrong == []


def test_totals_stay_exact() -> None:
    """The decimal string of every price survives the way through minor units."""
    for line in GOOD:
        for item in line["order"]["items"]:
            price = item["unit_price"]
            assert price["amount"] == Money.parse(**price).amount


def maker() -> ModuleType:
    pytest.importorskip("stdnum")
    spec = importlib.util.spec_from_file_location("make_orders", TUTORIAL / "make_orders.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_file_is_what_its_maker_makes() -> None:
    """Nobody edited the file by hand, and another seed gives another file."""
    made = maker()

    assert made.text(made.orders()) == (TUTORIAL / "orders.jsonl").read_text(encoding="utf-8")
    assert made.orders(seed=1) != LINES
