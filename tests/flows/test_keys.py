"""Keys that a provider may have forgotten protect nothing: what is older is not repeated."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from adapters.adyen.simulator import AdyenSimulator
from gateway.kit.simulator import FaultKind
from tests.adapters.adyen.conformance import SUBJECT as ADYEN
from tests.flows import further
from tests.flows.stage import Life, Stage
from tests.flows.test_raise_amount import calm
from tests.flows.test_take_payment import post, take, wanted

_HOST = "checkout-test.adyen.com"
_KEPT_DAYS = 7


@pytest.fixture
async def adyen(tmp_path: Path, url: str) -> AsyncIterator[tuple[Stage, Life, AdyenSimulator]]:
    """A tenant that has an Adyen too."""
    stage = Stage(tmp_path, url, patience={"in_doubt_s": [1.0] * 3})
    simulator = further.connect(stage, ADYEN)
    assert isinstance(simulator, AdyenSimulator)
    async with stage.facade(), stage.life() as life:
        yield stage, life, simulator


async def age(stage: Stage, days: float) -> None:
    """What was wished was wished so many days ago; Adyen's keys are as old."""
    stage.offset_s += days * 86_400
    then = (datetime.now(UTC) - timedelta(days=days)).isoformat()
    await stage.rows(
        "update headrace.document set body = regexp_replace(body::text,"
        ' \'("refund_id":.*?"requested_at": ?)"[^"]*"\', %s)::jsonb where kind = \'payment\'',
        rf'\1"{then}"',
    )
    await stage.rows(
        "update absurd.c_interactive set state = regexp_replace(state::text,"
        ' \'("refund_id":.*?"requested_at": ?)"[^"]*"\', %s)::jsonb',
        rf'\1"{then}"',
    )


@pytest.mark.parametrize(
    ("days", "expected"), [(6.5, ("COMPLETED", "")), (8.0, ("PARKED", "key_forgotten"))]
)
async def test_part_is_given_back_once_however_late_it_is_looked_for(
    adyen: tuple[Stage, Life, AdyenSimulator], days: float, expected: tuple[str, str]
) -> None:
    """While the key lives it is repeated; afterwards a person has to look."""
    stage, life, simulator = adyen
    token = {"token": "shopper-1_M5N7TQ4TG5PFWR50", "provider": "adyen"}
    payment_id = await take(stage, wanted(**token, return_url="https://shop.example/back"))
    await calm(*adyen)
    part = {"payment_id": payment_id, "amount": {"amount": "10.00", "currency": "EUR"}}
    refund = await post(stage, "/v1/refunds", part, key="r")
    fault = {"method": "POST", "path": "/refunds"}
    stage.lay(_HOST, FaultKind.LOST_ANSWER, **fault)
    await life.work()
    await age(stage, days)
    await calm(*adyen)

    found = await stage.rows("select state, code from headrace.flow where kind = 'refund_payment'")
    answer = await stage.api.get(f"/v1/refunds/{refund['refund_id']}")
    assert [expected] == found
    assert 1 == sum(simulator.effects()["refund"].values())
    # While the flow waits for a person the webhook cannot be matched with the refund by its name.
    assert (answer.json()["state"] == "SETTLED") == (days < _KEPT_DAYS)
