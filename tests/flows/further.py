"""Further systems on a stage: any adapter of the conformance suite, with its simulator."""

import dataclasses
from collections.abc import Iterator
from typing import Any

import httpx
import msgspec

from gateway.kit.simulator import SimulatedWire, Simulator
from tests.conformance.subject import Subject
from tests.flows.stage import TENANT, Stage


def connect(stage: Stage, subject: Subject, **settings_of: Any) -> Simulator:
    """Give the tenant a system that is named as its product; its simulator.

    Args:
        settings_of: Settings that are others than the subject's.
    """
    settings, simulator = subject.connect(1)
    assert simulator is not None
    settings = msgspec.structs.replace(settings, **settings_of)
    add(stage, subject, settings)
    hosts = {httpx.URL(one).host for one in _addresses(settings)}
    simulators = {**stage.wire._simulators, **dict.fromkeys(hosts, simulator)}
    stage.wire = SimulatedWire(simulators, clock=stage.now)
    return simulator


def add(stage: Stage, subject: Subject, settings: Any) -> None:
    """One more system of the tenant, to be connected to a simulator by whoever adds it."""
    name, known = subject.adapter.product, stage.configuration
    like = known.policies[TENANT, "stripe"]
    systems = dict(known.systems[TENANT]) | {name: (subject.adapter, settings)}
    stage.configuration = dataclasses.replace(
        known,
        systems=dict(known.systems) | {TENANT: systems},
        policies=dict(known.policies) | {(TENANT, name): msgspec.structs.replace(like, name=name)},
        mappings=dict(known.mappings)
        | {(TENANT, name): subject.adapter.load(settings, tenant=TENANT)},
    )


async def deliver(stage: Stage, product: str, simulator: Simulator) -> int:
    """Hand its webhooks that are due to the facade; returns how many were taken."""
    taken = 0
    for request in simulator.due(now=stage.now()):
        answer = await stage.api.post(
            f"/webhooks/{TENANT}/{product}",
            content=request.read(),
            headers=dict(request.headers) | {"host": "hub"},
        )
        taken += answer.is_success
    return taken


def _addresses(settings: Any) -> Iterator[str]:
    """Where the product listens; some have an API beside the first one."""
    for name in settings.__struct_fields__:
        if name in {"base_url", "disputes_url"}:
            yield getattr(settings, name)
