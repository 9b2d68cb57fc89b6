"""Placing an order, whatever the other systems, the provider and the customer do."""

from tests.flows.stage import Life, Stage, new_order


async def test_accepted_order_is_charged_and_confirmed(stage: Stage, life: Life) -> None:
    """One of each: account, opportunity, business partner, sales order, charge."""
    order = await stage.submit(new_order("accepted"))

    await stage.finish(life, order)

    assert {
        "account": 1,
        "opportunity": 1,
        "business_partner": 1,
        "sales_order": 1,
        "charge": 1,
    } == stage.effects_of(order)
