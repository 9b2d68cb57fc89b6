"""Routing: the same payment goes the same way, to somebody who can take it, for a reason."""

from collections import Counter
from typing import Any, Final

import msgspec
import pytest

from gateway.model.capability import Capability
from gateway.model.money import Money
from gateway.model.route import Route, RouteReason
from gateway.policy import routing
from gateway.policy.routing import Choice, System, Wanted
from gateway.settings import PaymentRule, Routing

_COLLECT: Final = ("create_payment", "refund_payment")
_CARD: Final = Capability(method="card", verbs=(*_COLLECT, "capture_payment"), token=True)
_DEBIT: Final = Capability(
    method="sepa_debit", countries=("DE", "FR"), currencies=("EUR",), verbs=_COLLECT, token=True
)
_IDEAL: Final = Capability(method="ideal", currencies=("EUR",), verbs=_COLLECT, redirect=True)
_ALL: Final = (_CARD, _DEBIT, _IDEAL)
_SYSTEMS: Final = {name: System(capabilities=_ALL) for name in ("a", "b", "c")}
_PLAIN: Final = Routing(erp="erp", crm="crm", risk="risk", payments="a")
_WANTED: Final = Wanted(
    method="card",
    amount=Money(2000, "EUR"),
    customer="C-1",
    country="DE",
    channel="B2C",
    token=True,
)


def _rules(*rules: PaymentRule, **more: Any) -> Routing:
    return msgspec.structs.replace(_PLAIN, payment_rules=rules, **more)


def _route(given: Routing = _PLAIN, **wanted: Any) -> Route:
    return routing.route(msgspec.structs.replace(_WANTED, **wanted), given, _SYSTEMS)


def _ill(*names: str) -> dict[str, System]:
    return {name: System(capabilities=_ALL, healthy=name not in names) for name in _SYSTEMS}


def test_without_rules_the_default_takes_it() -> None:
    """The others are not asked, and that is said."""
    assert (
        Route(
            system="a",
            reasons=(
                RouteReason("a", "default"),
                RouteReason("b", "other_rule"),
                RouteReason("c", "other_rule"),
            ),
        )
        == _route()
    )


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        ({"method": "cowrie_shells"}, "method_unsupported"),
        ({"method": "sepa_debit", "amount": Money(1, "SEK")}, "currency_unsupported"),
        ({"method": "sepa_debit", "country": "US"}, "country_unsupported"),
        ({"method": "sepa_debit", "later": True}, "capture_unsupported"),
        ({"method": "card", "token": False}, "token_missing"),
        ({"method": "ideal"}, "return_url_missing"),
    ],
)
def test_nobody_who_can_take_it(wanted: dict[str, Any], code: str) -> None:
    """Each system says what it lacks; nothing is sent anywhere."""
    found = _route(**wanted)

    assert "" == found.system
    assert {RouteReason(name, code) for name in _SYSTEMS} == set(found.reasons)


def test_method_that_is_only_held_is_not_collected_at_once() -> None:
    """Nobody would collect it later, and the authorisation would run out."""
    row = Capability(method="riverty", verbs=("create_payment", "capture_payment"), held=True)
    choice = Choice(systems={"a": System(capabilities=(row,))}, routing=_PLAIN)
    wanted = msgspec.structs.replace(_WANTED, method="riverty")

    assert "held_only" == routing.gap(wanted, choice)
    assert not routing.gap(msgspec.structs.replace(wanted, later=True), choice)


def test_payment_that_no_rule_names_anybody_for_is_refused() -> None:
    """Somebody could take it, but nobody is to be asked; unless the front-end names him."""
    choice = Choice(systems={"z": System(capabilities=_ALL)}, routing=_PLAIN)

    assert "not_routed" == routing.gap(_WANTED, choice)
    assert "" == routing.gap(msgspec.structs.replace(_WANTED, pinned="z"), choice)


def test_unknown_country_excludes_nobody() -> None:
    """The provider knows the country of the account behind a token."""
    assert "a" == _route(method="sepa_debit", country="").system


@pytest.mark.parametrize(
    "rule",
    [
        {"methods": ("sepa_debit",)},
        {"countries": ("FR",)},
        {"currencies": ("SEK",)},
        {"channels": ("FLEET",)},
        {"above": "20.00"},
        {"up_to": "19.99"},
        {"to": {"nobody": 1}},
    ],
    ids=str,
)
def test_rule_that_does_not_fit_is_passed_over(rule: dict[str, Any]) -> None:
    """The next one decides, and the default in the end."""
    passed = PaymentRule(**{"name": "odd", "to": {"b": 1}} | rule)
    fits = PaymentRule(
        name="fits", methods=("card",), countries=("DE",), above="19.99", up_to="20", to={"c": 1}
    )

    assert ("c", "fits") == (_route(_rules(passed, fits)).system, _route(_rules(passed, fits)).rule)
    assert ("a", "") == (_route(_rules(passed)).system, _route(_rules(passed)).rule)


def test_share_of_the_customers() -> None:
    """Over many customers each system gets its weight, and a customer always the same."""
    given = _rules(PaymentRule(name="split", to={"b": 80, "c": 20}))
    customers = [f"C-{number}" for number in range(4000)]

    taken = Counter(_route(given, customer=one).system for one in customers)

    assert {"b", "c"} == set(taken)
    assert 0.77 < taken["b"] / len(customers) < 0.83
    assert _route(given, customer="C-7") == _route(given, customer="C-7", amount=Money(9, "EUR"))


def test_system_that_cannot_has_no_share() -> None:
    """Its customers go to the others of the rule."""
    systems = {"b": System(capabilities=(_DEBIT,)), "c": System(capabilities=_ALL)}
    given = _rules(PaymentRule(name="split", to={"b": 999, "c": 1}))

    found = {
        routing.route(msgspec.structs.replace(_WANTED, customer=str(one)), given, systems).system
        for one in range(50)
    }

    assert {"c"} == found


def test_system_that_is_not_well_comes_last() -> None:
    """The others of the rule, the default and the fallbacks go before it."""
    given = _rules(PaymentRule(name="r", to={"b": 1}), payment_fallbacks=("c",))

    found = routing.route(_WANTED, given, _ill("b"))

    assert ("a", "") == (found.system, found.rule)
    assert [
        RouteReason("a", "default"),
        RouteReason("c", "next"),
        RouteReason("b", "unhealthy"),
    ] == [*found.reasons]


def test_when_nobody_is_well_somebody_is_tried() -> None:
    """Not well is not unable: the payment is not refused for it."""
    assert "a" == routing.route(_WANTED, _PLAIN, _ill("a", "b", "c")).system


def test_token_pins_its_provider() -> None:
    """Whatever the rules say and however ill it is: nobody else knows the token."""
    given = _rules(PaymentRule(name="r", to={"b": 1}), payment_fallbacks=("a",))
    pinned = msgspec.structs.replace(_WANTED, pinned="c")

    found = routing.route(pinned, given, _ill("c"))

    assert Route(system="c", reasons=(RouteReason("c", "pinned"),)) == found


@pytest.mark.parametrize(
    ("pinned", "code"), [("b", "method_unsupported"), ("gone", "not_configured")]
)
def test_pinned_provider_that_cannot(pinned: str, code: str) -> None:
    """It is said of that one; the payment goes nowhere else."""
    systems = {"a": System(capabilities=_ALL), "b": System(capabilities=(_DEBIT,))}

    found = routing.route(msgspec.structs.replace(_WANTED, pinned=pinned), _PLAIN, systems)

    assert Route(system="", reasons=(RouteReason(pinned, code),)) == found
