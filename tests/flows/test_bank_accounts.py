"""Payments from an account that the payer names: its provider is told, and nobody keeps it."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
import yaml

from adapters.payone.simulator import PayoneSimulator
from gateway import configuring
from gateway.kit.simulator import FaultKind, SimulatedWire
from gateway.model import codec
from gateway.model.payment import Payment, PaymentState
from tests.conformance import samples
from tests.flows.doom import Doom, Mortal
from tests.flows.stage import Life, Stage

_S = PaymentState
_TYPED: Final = "de89 3704 0044 0532 0130 00"
_IBAN: Final = "DE89370400440532013000"
_HOLDER: Final = "Grace Brewster Hopper"
_TABLES: Final = (
    "select table_schema || '.' || table_name from information_schema.tables"
    " where table_schema in ('headrace', 'absurd') and table_type = 'BASE TABLE'"
)
_TURNS: Final = 60


@pytest.fixture
async def stage(tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    """A tenant with a PAYONE beside its other systems."""
    monkeypatch.setenv("STAGE_PAYONE", "simulated")
    stage = Stage(tmp_path, url)
    file = tmp_path / "tenants" / "acme.yaml"
    tenant = yaml.safe_load(file.read_text())
    system = {"name": "payone", "adapter": "payone", "policy": tenant["systems"][0]["policy"]}
    system["settings"] = {
        "base_url": "http://payone",
        "merchant_id": "simulated",
        "api_key_id": "simulated",
        "api_secret": "env:STAGE_PAYONE",
    }
    tenant["systems"].append(system)
    tenant["routing"]["payment_fallbacks"] = ["payone"]
    file.write_text(yaml.safe_dump(tenant))
    stage.configuration = configuring.configure(tmp_path / "headrace.yaml")
    wire = {**stage.wire._simulators, "payone": PayoneSimulator()}
    stage.wire = SimulatedWire(wire, clock=stage.now)
    async with stage.facade() as stage:
        yield stage


def _wanted(**changes: Any) -> dict[str, Any]:
    return {
        "amount": {"amount": "19.99", "currency": "EUR"},
        "payment": {"method_code": "secured_debit", "token": "partner_merchant_session"},
        "payer": codec.to_builtins(samples.payer()),
        "items": codec.to_builtins(samples.basket(samples.AMOUNTS[0])),
        "bank_account": {"iban": _TYPED, "holder": _HOLDER},
        **changes,
    }


async def _ask(stage: Stage, *, path: str = "", key: str = "k", **changes: Any) -> httpx.Response:
    headers = {"Idempotency-Key": key}
    return await stage.api.post(f"/v1/payments{path}", json=_wanted(**changes), headers=headers)


async def _take(stage: Stage, *, key: str = "k", **changes: Any) -> str:
    answer = await _ask(stage, key=key, **changes)
    assert 201 == answer.status_code, answer.text
    return str(answer.json()["payment_id"])


async def _finish(stage: Stage, life: Life, payment_id: str) -> Payment:
    """The payment when its flow is over."""
    for _ in range(_TURNS):
        while await life.work():
            pass
        ended = "select 1 from headrace.flow where business_id = %s and state = 'COMPLETED'"
        if await stage.rows(ended, payment_id):
            shown = await stage.api.get(f"/v1/payments/{payment_id}")
            return codec.decode(shown.content, Payment)
        await stage.pass_time()
    raise AssertionError(await stage.rows("select to_jsonb(f) from headrace.flow f"))


async def _keepers(stage: Stage, life: Life) -> list[str]:
    """Where it stands whose account it is, or which; evidence is waited for."""
    await life.parts.journal._evidence._queue.join()
    found = []
    for (table,) in await stage.rows(_TABLES):
        rows = await stage.rows(f"select t::text from {table} t")  # noqa: S608 - PostgreSQL's own
        text = "\n".join(row for (row,) in rows)
        hidden = [one.encode().hex() for one in (_IBAN, _TYPED, _HOLDER)]
        if any(one in text for one in (_IBAN, _TYPED, _HOLDER, *hidden)):
            found.append(table)
    return found


def _told(stage: Stage) -> list[Any]:
    """The accounts that PAYONE was told."""
    simulator: Any = stage.wire._simulators["payone"]
    inputs = [one.input for one in simulator._checkouts.values()]
    return [
        one["financingPaymentMethodSpecificInput"]["paymentProduct3392SpecificInput"][
            "bankAccountInformation"
        ]
        for one in inputs
    ]


async def test_account_is_told_once_and_forgotten(stage: Stage, life: Life) -> None:
    """Until the provider has it, it lies in one row; afterwards nowhere."""
    answer = await _ask(stage)
    again = await _ask(stage)
    before = await _keepers(stage, life)
    while await life.work():
        pass
    answered = await _keepers(stage, life)

    payment = await _finish(stage, life, answer.json()["payment_id"])

    masked = {"iban": "DE**3000", "holder": "G***"}
    assert [masked] * 2 == [one.json()["bank_account"] for one in (answer, again)]
    assert masked == codec.to_builtins(payment.bank_account)
    assert (_S.CAPTURED, "payone") == (payment.state, payment.provider)
    assert [{"iban": _IBAN, "accountHolder": _HOLDER}] == _told(stage)
    assert (["headrace.document"], [], []) == (before, answered, await _keepers(stage, life))


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": FaultKind.LOST_ANSWER},
        {"kind": FaultKind.LOST_REQUEST},
        {"kind": FaultKind.STATUS, "status": 503, "count": 5},
    ],
)
async def test_account_is_there_as_long_as_it_may_be_needed(
    stage: Stage, life: Life, fault: dict[str, Any]
) -> None:
    """The request is repeated as it was, or what it did is found."""
    stage.lay("payone", method="POST", **fault)
    payment_id = await _take(stage)

    payment = await _finish(stage, life, payment_id)

    assert (_S.CAPTURED, 1) == (payment.state, len(_told(stage)))
    assert [] == await _keepers(stage, life)


async def test_account_of_a_refused_payment_is_forgotten(stage: Stage, life: Life) -> None:
    """Its holder's name is longer than PAYONE takes: nothing was sent."""
    payment_id = await _take(stage, bank_account={"iban": _TYPED, "holder": _HOLDER * 3})

    payment = await _finish(stage, life, payment_id)

    assert (_S.FAILED, []) == (payment.state, _told(stage))
    assert [] == await _keepers(stage, life)


async def test_worker_dies_at_each_point(stage: Stage) -> None:
    """Whatever the point, it is collected once, and the account is forgotten."""
    whole = Doom()
    await _live_and_die(stage, whole, key="whole")
    wrong = {}
    for point in range(1, len(whole.points) + 1):
        doom = Doom(point)
        payment, keepers = await _live_and_die(stage, doom, key=f"k{point}")
        assert doom.died.is_set()
        effects = stage.wire._simulators["payone"].effects()["charge"]
        if (_S.CAPTURED, 1, []) != (payment.state, effects[payment.payment_id], keepers):
            wrong[f"{point}: {whole.points[point - 1]}"] = (payment.state, keepers)

    assert {} == wrong
    assert len(whole.points) > 8


async def _live_and_die(stage: Stage, doom: Doom, *, key: str) -> tuple[Payment, list[str]]:
    payment_id = await _take(stage, key=key)
    mortal = Mortal(stage, doom)
    await mortal.begin()

    async def finish(life: Life) -> None:
        await _finish(stage, life, payment_id)

    await mortal.do(finish)
    await stage.expire_leases()
    async with stage.life() as life:
        return await _finish(stage, life, payment_id), await _keepers(stage, life)


@pytest.mark.parametrize(
    ("changes", "pointer", "code"),
    [
        ({"bank_account": None}, "/bank_account", "bank_account_missing"),
        (
            {"payment": {"method_code": "card", "token": "pm_card_visa"}},
            "/bank_account",
            "bank_account_unsupported",
        ),
        (
            {"bank_account": {"iban": "DE89370400440532013001", "holder": "A"}},
            "/bank_account/iban",
            "iban_checksum",
        ),
        (
            {"bank_account": {"iban": "DE**3000", "holder": "A"}},
            "/bank_account/iban",
            "iban_structure",
        ),
        (
            {"bank_account": {"iban": _TYPED, "holder": " "}},
            "/bank_account/holder",
            "required",
        ),
        ({"confirm": False}, "/confirm", "confirm_needed"),
    ],
)
async def test_wrong_account_is_pointed_at(
    stage: Stage, life: Life, changes: dict[str, Any], pointer: str, code: str
) -> None:
    """Before anything is kept or sent; what was sent is not repeated."""
    answer = await _ask(stage, **changes)

    told = [(each["pointer"], each["code"]) for each in answer.json()["errors"]]
    assert (422, [(pointer, code)]) == (answer.status_code, told)
    assert [] == await _keepers(stage, life)


async def test_explanation_shows_no_account(stage: Stage) -> None:
    """The request that would be sent, without what it says of somebody."""
    answer = await _ask(stage, path="/explain")

    assert 200 == answer.status_code, answer.text
    assert "payone" == answer.json()["route"]["system"]
    assert "bankAccountInformation" in answer.text
    assert [] == [one for one in (_IBAN, _TYPED, _HOLDER) if one in answer.text]
