"""Routing in a flow: the payment goes where the rules say, and stays there."""

import dataclasses

import msgspec

from gateway.model.order import OrderState
from gateway.model.route import RouteReason
from gateway.policy.breaking import BreakerState
from gateway.settings import PaymentRule
from tests.flows.stage import TENANT, Life, Stage, new_order


def _configure(life: Life, rule: PaymentRule) -> None:
    """The tenant with one rule."""
    tenant = life.parts.hub.tenant(TENANT)
    routing = msgspec.structs.replace(tenant.settings.routing, payment_rules=(rule,))
    life.parts.hub._tenants = {
        TENANT: dataclasses.replace(
            tenant, settings=msgspec.structs.replace(tenant.settings, routing=routing)
        )
    }


async def test_rule_chooses_the_provider_and_says_so(stage: Stage, life: Life) -> None:
    """Every call of the payment goes there, also when the rule is gone when the flow goes on."""
    order = await stage.submit(new_order("routed", token="pm_card_authenticationRequired"))
    _configure(life, PaymentRule(name="dach", countries=("DE",), to={"stripe_fr": 1}))
    await stage.work_until(life, order, "WAITING")
    _configure(life, PaymentRule(name="none", countries=("US",), to={"stripe": 1}))
    await stage.finish(life, order, webhooks=False)

    payment = await stage.payment(order)
    assert payment.route is not None
    assert ("stripe_fr", "stripe_fr", "dach") == (
        payment.provider,
        payment.route.system,
        payment.route.rule,
    )
    assert (
        RouteReason("stripe_fr", "rule"),
        RouteReason("stripe", "next"),
    ) == payment.route.reasons
    called = await stage.rows(
        "select distinct system from headrace.evidence where verb like '%%payment'",
    )
    assert [("stripe_fr",)] == called


async def test_provider_that_is_held_back_is_passed_over(stage: Stage, life: Life) -> None:
    """Its breaker is open, so the default collects."""
    _configure(life, PaymentRule(name="dach", to={"stripe_fr": 1}))
    life.parts.hub.transport.force("stripe_fr", "create_payment", BreakerState.OPEN)
    order = await stage.submit(new_order("passed"))
    await stage.finish(life, order)

    payment = await stage.payment(order)
    assert payment.route is not None
    assert ("stripe", "") == (payment.provider, payment.route.rule)
    assert RouteReason("stripe_fr", "unhealthy") in payment.route.reasons
    assert OrderState.COMPLETED == (await stage.order(order.order_id)).state
