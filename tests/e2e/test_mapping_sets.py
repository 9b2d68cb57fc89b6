"""A deployment in the middle of an order, with real processes and an operator's commands."""

from collections.abc import Iterator

import pytest
import yaml

from gateway.commands.landscape import TENANT, Landscape
from gateway.commands.operate import actor
from tests.e2e.postgres import Postgres
from tests.e2e.test_cli import headrace, new_order, parked, place, state_of, told, wait_until
from tests.flows.postgres import own_folder


@pytest.fixture
def landscape() -> Iterator[Landscape]:
    """Database, simulators, facade and a worker; who is away stays away until a person acts."""
    found = Landscape(own_folder(), patience={"unavailable_s": [3600.0]})
    found.prepare()
    try:
        found.start_simulators()
        deploy(found, "OLD1")
        yield found
    finally:
        found.stop()
        found.client.close()
        Postgres(found.folder).end()


def deploy(landscape: Landscape, order_type: str) -> None:
    """Facade and worker, anew, with an overlay that makes sales orders of this type."""
    folder = landscape.folder / "tenants"
    (folder / "order.overlay.yaml").write_text(
        f'extends: sap_s4.sales_order@1\nfields: {{SalesOrderType: {{const: "{order_type}"}}}}\n'
    )
    path = folder / f"{TENANT}.yaml"
    tenant = yaml.safe_load(path.read_text())
    next(one for one in tenant["systems"] if one["name"] == "sap")["overlays"] = [
        "order.overlay.yaml"
    ]
    path.write_text(yaml.safe_dump(tenant))
    for name in ("serve", "worker"):
        if name in landscape.processes:
            landscape.kill(name)
    landscape.start_serve()
    landscape.start_worker("worker")


def go_on(landscape: Landscape, order_id: str, *options: str) -> str:
    """Resume the flow; the sales order as it was sent."""
    told(landscape, "flows", "resume", order_id, "--reason", "SAP is back", *options)
    wait_until(lambda: state_of(landscape, order_id) == "COMPLETED", "the order completed")
    attempts = told(landscape, "evidence", order_id, "--step", "erp.create_sales_order")
    return "".join(one["request"] for one in attempts)


def test_a_deployment_does_not_reach_orders_under_way(landscape: Landscape) -> None:
    """They end as they began, unless an operator says otherwise; new ones are made anew."""
    kept, withdrawn, moved = (parked(landscape, f"C-{number}") for number in range(3))
    old = told(landscape, "flows", "show", kept)["mapping_set"]
    deploy(landscape, "NEW1")
    landscape.mend("sap_s4")

    assert '"OLD1"' in go_on(landscape, kept)
    assert '"NEW1"' in go_on(landscape, moved, "--present-mappings")
    fresh = place(landscape, new_order(), wait_s=25)
    new = told(landscape, "flows", "show", fresh)["mapping_set"]
    listed = {one["identity"]: one for one in told(landscape, "mappings", "sets")}
    assert [(1, False), (0, True)] == [
        (listed[one]["flows"], listed[one]["is_present"]) for one in (old, new)
    ]

    because = ("--tenant", TENANT, "--reason", "wrong order type")
    present = headrace(landscape, "mappings", "withdraw", new, *because)
    unknown = headrace(landscape, "mappings", "withdraw", "0" * 32, *because)
    done = told(landscape, "mappings", "withdraw", old, *because)

    assert (1, True) == (present.returncode, "change the configuration" in present.stderr)
    assert (1, True) == (unknown.returncode, "no mappings of this" in unknown.stderr)
    assert (1, actor()) == (done["flows"], done["actor"])
    assert '"NEW1"' in go_on(landscape, withdrawn)
    entries = told(landscape, "timeline", withdrawn)["entries"]
    assert [{"actor": actor(), "reason": "wrong order type", "from": old, "to": new}] == [
        one["detail"] for one in entries if one["name"] == "mappings"
    ]
    assert [old] == [one["name"] for one in entries if one["what"] == "mappings"]
