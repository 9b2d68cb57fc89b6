"""A flow keeps the mappings that it began with, whatever is deployed before it ends."""

import shutil
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from structlog.testing import LogCapture

from gateway import configuring
from gateway.errors import Unavailable
from gateway.kit.mapping import installed
from gateway.kit.simulator import FaultKind
from gateway.model.order import Order
from gateway.runtime import mapping_sets, timeline
from tests.flows.stage import TENANT, Life, Stage, new_order, served

_OVERLAY: Final = (
    'extends: sap_s4.sales_order@1\nfields: {PurchaseOrderByShipToParty: {const: "%s"}}\n'
)


class Deployments:
    """One deployment after the other, over the same database and the same systems."""

    def __init__(self, stage: Stage, folder: Path) -> None:
        self.stage = stage
        self._folder = folder / "tenants"

    def overlay(self, word: str, **settings: Any) -> str:
        """Deploy what writes this word into each sales order; the identity of its mappings.

        Args:
            settings: Of SAP, that differ from now on.
        """
        path = self._folder / "acme.yaml"
        tenant = yaml.safe_load(path.read_text())
        sap = next(one for one in tenant["systems"] if one["name"] == "sap")
        sap["overlays"] = ["order.overlay.yaml"]
        sap["settings"] |= settings
        path.write_text(yaml.safe_dump(tenant))
        (self._folder / "order.overlay.yaml").write_text(_OVERLAY % word)
        return self.anew()

    def anew(self) -> str:
        """Read the configuration as a new process does; the identity of its mappings."""
        self.stage.configuration = configuring.configure(self._folder.parent / "headrace.yaml")
        return self.identity

    @property
    def identity(self) -> str:
        """Of the mappings that are deployed."""
        return self.stage.configuration.mapping_set(TENANT).identity

    def gone(self) -> None:
        """The files of the old deployment are there no more."""
        (self._folder / "order.overlay.yaml").unlink()

    @asynccontextmanager
    async def facade(self) -> AsyncIterator[Callable[..., Any]]:
        """Submits orders to a facade of this deployment."""
        async with served(self.stage.parts("serve")) as api:
            yield lambda name: self.stage.submit(new_order(name), api=api)


@pytest.fixture
def deployments(stage: Stage, tmp_path: Path) -> Deployments:
    """Deployments over the stage."""
    return Deployments(stage, tmp_path)


async def _stopped(stage: Stage, order: Order) -> None:
    """The worker ends before the ERP has heard of the order."""
    stage.lay("sap", FaultKind.STATUS, status=503, count=-1)
    async with stage.life() as life:
        await life.work()
    assert ("PARKED", "unavailable") == await stage.state(order)
    stage.wire.faults["sap"].clear()
    await stage.pass_time()


def _written(stage: Stage, order: Order) -> dict[str, Any]:
    """The sales order as SAP has it."""
    wanted = order.order_id.replace("-", "")
    found: list[dict[str, Any]] = [
        one for one in stage.sap._orders.values() if one["PurchaseOrderByCustomer"] == wanted
    ]
    assert 1 == len(found)
    return found[0]


def _word(stage: Stage, order: Order) -> str:
    return str(_written(stage, order)["PurchaseOrderByShipToParty"])


async def _finished(stage: Stage, *orders: Order) -> None:
    async with stage.life() as life:
        for order in orders:
            await stage.finish(life, order)
            assert ("COMPLETED", "") == await stage.state(order)


async def _mappings_in_timeline(stage: Stage, order: Order) -> list[tuple[str, ...]]:
    async with stage.life() as life, life.parts.database.connection() as connection:
        entries = await timeline.of(connection, tenant=TENANT, business_id=order.order_id)
    return [
        (
            one.what,
            one.name,
            *(one.detail[name] for name in ("actor", "reason", "from", "to") if one.detail),
        )
        for one in entries
        if one.what == "mappings" or one.name == "mappings" or "from" in one.detail
    ]


async def test_document_is_made_with_the_overlay_that_the_flow_began_with(
    stage: Stage, deployments: Deployments
) -> None:
    """An order that was under way gets the old field, a new one the new, from one worker."""
    old = deployments.overlay("OLD")
    async with deployments.facade() as submit:
        order = await submit("old")
    await _stopped(stage, order)

    new = deployments.overlay("NEW")
    async with deployments.facade() as submit:
        later = await submit("new")
    await _finished(stage, order, later)

    assert ("OLD", "NEW") == (_word(stage, order), _word(stage, later))
    assert [old, new] == [(await stage.flow(one))["mapping_set"] for one in (order, later)]
    assert [("mappings", old)] == await _mappings_in_timeline(stage, order)


async def test_value_and_undo_are_the_old_ones(stage: Stage, deployments: Deployments) -> None:
    """Values of the configuration are part of it, and so is what takes a document back."""
    deployments.overlay("X", rejection_reason="A1", sales_organization="1710")
    async with deployments.facade() as submit:
        order = await submit("undone")
    await _stopped(stage, order)
    deployments.overlay("X", rejection_reason="B2", sales_organization="1810")

    async with stage.life() as life:
        await stage.work_until(life, order, "WAITING")
        flow_id = (await stage.flow(order))["flow_id"]
        await stage.operator(life).cancel(flow_id, reason="customer called")
        await stage.finish(life, order)

    made = _written(stage, order)
    assert "1710" == made["SalesOrganization"]
    assert ["A1"] == [each["SalesDocumentRjcnReason"] for each in made["to_Item"]]


async def test_withdrawn_mappings_give_way_to_the_present_ones(
    stage: Stage, deployments: Deployments, logs: LogCapture
) -> None:
    """Flows that are under way go on with the new ones, and their timeline says who wanted it."""
    old = deployments.overlay("OLD")
    async with deployments.facade() as submit:
        order = await submit("withdrawn")
    await _stopped(stage, order)
    new = deployments.overlay("NEW")
    async with stage.life() as life:
        count = await mapping_sets.withdraw(
            life.parts.database, TENANT, old, actor="ada", reason="wrong ship-to"
        )

    await _finished(stage, order)

    assert 1 == count
    assert "NEW" == _word(stage, order)
    assert [
        ("mappings", old),
        ("decision", "mappings", "ada", "wrong ship-to", old, new),
    ] == await _mappings_in_timeline(stage, order)
    assert [(old, new)] == [
        (one["old"], one["new"]) for one in logs.entries if one["event"] == "flow.mappings_moved"
    ]


async def test_mappings_that_are_kept_no_more_park_the_flow_until_they_are_withdrawn(
    stage: Stage, deployments: Deployments
) -> None:
    """Nothing fails and nothing is lost; the reason says what to type."""
    old = deployments.overlay("OLD")
    async with deployments.facade() as submit:
        order = await submit("lost")
    await _stopped(stage, order)
    deployments.overlay("NEW")
    await stage.rows("delete from headrace.mapping_set where identity = %s", old)

    async with stage.life() as life:
        await life.work()
        flow = await stage.flow(order)
        assert ("PARKED", "mappings", "mapping_set_unusable") == (
            flow["state"],
            flow["reason"],
            flow["code"],
        )
        assert f"headrace mappings withdraw {old} --tenant acme --reason" in flow["message"]
        await mapping_sets.withdraw(
            life.parts.database, TENANT, old, actor="ada", reason="backup is older"
        )
        await stage.finish(life, order)

    assert ("COMPLETED", "") == await stage.state(order)
    assert "NEW" == _word(stage, order)


@pytest.fixture
def releases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Any], None]]:
    """Installs another release: the same files after a change to the text of the sales order."""
    number = iter(range(10))

    def install(change: Callable[[str], str]) -> None:
        folder = tmp_path / f"release_{next(number)}"
        shutil.copytree(Path(__file__).parents[2] / "mappings", folder / "mappings")
        path = folder / "mappings" / "sap_s4" / "sales_order.yaml"
        path.write_text(change(path.read_text()))
        monkeypatch.delitem(sys.modules, "mappings", raising=False)
        monkeypatch.syspath_prepend(str(folder))
        installed.product.cache_clear()
        assert folder / "mappings" / "sap_s4" == installed.product("sap_s4").folder

    yield install
    monkeypatch.undo()
    sys.modules.pop("mappings", None)
    installed.product.cache_clear()


async def test_another_release_goes_on_with_the_mappings_of_the_one_before(
    stage: Stage, deployments: Deployments, releases: Callable[[Any], None]
) -> None:
    """Its own files differ; those of the old release are in the database only."""
    order = await stage.submit(new_order("release-1"))
    before = deployments.identity
    await _stopped(stage, order)
    releases(lambda text: text.replace("reference | nonempty | fit(35)", '{const: "RELEASE-2"}'))
    assert before != deployments.anew()

    async with deployments.facade() as submit:
        later = await submit("release-2")
    await _finished(stage, order, later)

    assert ("R-release-1", "RELEASE-2") == (_word(stage, order), _word(stage, later))


async def test_release_that_cannot_use_them_leaves_the_flow_to_one_that_can(
    stage: Stage, deployments: Deployments, releases: Callable[[Any], None]
) -> None:
    """The adapter has no such look-up any more: parked, and the old release still finishes it."""
    old_configuration = stage.configuration
    order = await stage.submit(new_order("refused"))
    await _stopped(stage, order)
    releases(lambda text: text.replace("business_partner", "customer"))
    deployments.anew()

    async with stage.life() as life:
        await life.work()
    flow = await stage.flow(order)
    assert ("PARKED", "mappings") == (flow["state"], flow["reason"])
    assert "sap_s4.sales_order: needs.business_partner was" in flow["message"]
    await stage.pass_time()
    stage.configuration = old_configuration
    await _finished(stage, order)


async def test_flow_that_began_before_mappings_were_kept(
    stage: Stage, life: Life, deployments: Deployments
) -> None:
    """It takes those that its worker has, keeps them from then on, and says so."""
    order = await stage.submit(new_order("before"))
    await stage.rows("update headrace.flow set mapping_set = ''")

    await stage.finish(life, order)

    life.parts.telemetry.flush()
    spans = [one for one in stage.spans.get_finished_spans() if one.name == "place_order"]
    said = ("headrace", "began before mappings were kept", "", deployments.identity)
    assert deployments.identity == (await stage.flow(order))["mapping_set"]
    assert [("decision", "mappings", *said)] == await _mappings_in_timeline(stage, order)
    assert [deployments.identity] == [
        (one.attributes or {})["headrace.mapping_set"] for one in spans
    ]


async def test_operator_resumes_one_flow_with_the_present_mappings(
    stage: Stage, deployments: Deployments
) -> None:
    """The mapping was at fault and is mended; other flows keep theirs."""
    old = deployments.overlay("OLD")
    async with deployments.facade() as submit:
        mended, other = await submit("mended"), await submit("other")
    await _stopped(stage, other)
    new = deployments.overlay("NEW")
    async with stage.life() as life:
        await stage.rows("update absurd.r_interactive set available_at = 'infinity'")
        flow_id = (await stage.flow(mended))["flow_id"]
        await stage.operator(life).resume(
            flow_id,
            reason="ship-to mended",
            mapping_set=stage.configuration.mapping_set(TENANT),
        )
        await stage.finish(life, mended)
        await stage.rows("update absurd.r_interactive set available_at = now()")
        await stage.finish(life, other)

    assert ("NEW", "OLD") == (_word(stage, mended), _word(stage, other))
    assert [
        ("mappings", old),
        ("decision", "resume", "ada", "ship-to mended", old, new),
    ] == await _mappings_in_timeline(stage, mended)


async def test_process_whose_own_mappings_are_withdrawn_goes_on_and_says_so(
    stage: Stage, life: Life, deployments: Deployments, logs: LogCapture
) -> None:
    """It has no others; whoever deploys reads a warning."""
    await mapping_sets.withdraw(
        life.parts.database, TENANT, deployments.identity, actor="ada", reason="too early"
    )
    order = await stage.submit(new_order("own"))

    await _finished(stage, order)

    assert [] == [one for one in await _mappings_in_timeline(stage, order) if len(one) > 2]
    assert "mapping_set.withdrawn_in_use" in [one["event"] for one in logs.entries]


async def test_database_that_is_away_while_mappings_give_way(
    stage: Stage, life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An outage is no reason to park: the flow is released, and moved when it is run again."""
    order = await stage.submit(new_order("away"))
    await stage.rows("update headrace.flow set mapping_set = ''")

    write, first = life.parts.journal.write, iter([True])

    async def away(*statements: Any, **options: Any) -> Any:
        if next(first, False):
            raise Unavailable("PostgreSQL stayed away.", code="database_away")
        return await write(*statements, **options)

    with monkeypatch.context() as outage:
        outage.setattr(life.parts.journal, "write", away)
        await life.work()
    flow = await stage.flow(order)
    assert ("RUNNING", "", "") == (flow["state"], flow["reason"], flow["mapping_set"])

    await stage.expire_leases()
    await stage.finish(life, order)

    assert ("COMPLETED", "") == await stage.state(order)
    assert 1 == len(await _mappings_in_timeline(stage, order))
