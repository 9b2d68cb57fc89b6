"""``headrace flows | webhooks``: what a person does where the hub does not go on by itself."""

import getpass
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
import msgspec

from gateway.commands import terminal
from gateway.commands.fill import fill
from gateway.errors import Rejected

if TYPE_CHECKING:  # --help needs none of them
    from gateway.runtime.database import Connection, Database
    from gateway.runtime.engine import Operator
    from gateway.runtime.mapping_sets import MappingSet

_FLOW_STATES: Final = ("RUNNING", "WAITING", "PARKED", "COMPLETED", "CANCELLED", "all")
_WEBHOOK_STATES: Final = ("NEW", "APPLIED", "IGNORED", "PARKED", "all")
_COLUMNS: Final = (
    "flow_id", "tenant", "kind", "business_id", "state", "step", "reason", "code", "message",
    "paused_at", "resume_at",
)  # fmt: skip
# PostgreSQL's infinity is no moment of Python's; for a person it means "until somebody acts".
_FLOWS: Final = b"""
select flow_id, tenant, kind, business_id, state, step, reason, code, message, paused_at,
    case when isfinite(resume_at) then resume_at end as resume_at, started_at, ended_at, pauses,
    queue, task_id::text as task_id, mapping_set
from headrace.flow
"""


def actor() -> str:
    """Who acts: the user of the operating system."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container may run a user without a name
        import os

        return f"uid {os.getuid()}"


@click.group()
def flows() -> None:
    """Flows, and what to do with those that are parked."""


@flows.command("list")
@click.option("--state", type=click.Choice(_FLOW_STATES, case_sensitive=False), default="PARKED")
@click.option("--reason", default="", help="unavailable, in_doubt, rejected, misconfigured, …")
@click.option("--limit", type=click.IntRange(1, 10_000), default=200, show_default=True)
@terminal.TENANT
@terminal.CONFIG
@terminal.JSON
def list_flows(
    state: str, reason: str, limit: int, tenant: str, config: Path, *, as_json: bool
) -> None:
    """Flows by state, the parked ones unless told otherwise."""
    where = (
        b"where (%s = 'all' or state = %s) and (%s = '' or reason = %s)"
        b" and (%s = '' or tenant = %s) order by started_at desc limit %s"
    )
    params = (state, state, reason, reason, tenant, tenant, limit)

    async def read(database: "Database") -> list[dict[str, Any]]:
        return await terminal.query(database, _FLOWS + where, params)

    found = [_readable(one) for one in _with_database(config, read)]
    terminal.show_records("flows", _COLUMNS, found, as_json=as_json)


def _readable(flow: dict[str, Any]) -> dict[str, Any]:
    times = ("paused_at", "resume_at", "started_at", "ended_at")
    return flow | {name: terminal.moment(flow[name]) for name in times}


def _with_database(config: Path, work: "Callable[[Database], Awaitable[Any]]") -> Any:
    from gateway import configuring

    async def opened() -> Any:
        async with terminal.opened(configuring.configure(config)) as database:
            return await work(database)

    return terminal.run(opened())


async def _flow(database: "Database", flow: str, tenant: str) -> dict[str, Any]:
    """The flow by its own id or by its order's.

    Raises:
        Rejected: There is none, or there are several.
    """
    where = b"where (flow_id = %s or business_id = %s) and (%s = '' or tenant = %s)"
    found = await terminal.query(database, _FLOWS + where, (flow, flow, tenant, tenant))
    if not found:
        raise Rejected("There is no flow of this id or order.", code="not_found")
    if len(found) > 1:
        ids = ", ".join(one["flow_id"] for one in found)
        raise Rejected(f"The order has several flows; name one: {ids}.", code="ambiguous")
    return found[0]


@flows.command("show")
@click.argument("flow")
@terminal.TENANT
@terminal.CONFIG
@terminal.JSON
def show_flow(flow: str, tenant: str, config: Path, *, as_json: bool) -> None:
    """One flow with its finished steps and what people decided. FLOW is its id or its order's."""

    async def read(database: "Database") -> dict[str, Any]:
        from gateway.runtime import engine

        found = await _flow(database, flow, tenant)
        async with database.connection() as connection:
            steps = await connection.execute(*engine.steps_of(found["queue"], found["task_id"]))
            rows = await steps.fetchall()
        decisions = await terminal.query(
            database,
            b"select decided_at, action, step, payload, actor, reason from headrace.decision"
            b" where flow_id = %s order by decided_at",
            (found["flow_id"],),
        )
        return _readable(found) | {
            "steps": [_step(*row) for row in rows],
            "decisions": [
                one | {"at": terminal.moment(one.pop("decided_at"))} for one in decisions
            ],
        }

    found = _with_database(config, read)
    if as_json:
        terminal.show_json(found)
        return
    fields = (*_COLUMNS, "mapping_set")
    terminal.show_table("flow", ("field", "value"), [(name, found[name]) for name in fields])
    for part, columns in (
        ("steps", ("step", "outcome", "at", "duration_ms")),
        ("decisions", ("at", "action", "step", "actor", "reason", "payload")),
    ):
        terminal.show_records(part, columns, found[part], as_json=False)


def _step(name: str, state: Any, updated: float) -> dict[str, Any]:
    """A finished step without its value, which may be personal."""
    from datetime import UTC, datetime

    waited = name.endswith(".signal")
    ended = updated if waited else state["ended"]
    return {
        "step": name.removesuffix(".signal"),
        "outcome": "confirmed" if waited else state["outcome"],
        "at": terminal.moment(datetime.fromtimestamp(ended, UTC)),
        "duration_ms": 0.0 if waited else round((ended - state["began"]) * 1000, 1),
    }


@flows.command()
@click.argument("flow")
@click.option("--present-mappings", is_flag=True, help="Not those that it began with.")
@terminal.REASON
@terminal.TENANT
@terminal.CONFIG
@terminal.JSON
def resume(
    flow: str, reason: str, tenant: str, config: Path, *, present_mappings: bool, as_json: bool
) -> None:
    """Go on now, with the step that stopped."""

    async def act(operator: "Operator", flow_id: str) -> None:
        present = _present(config, operator.tenant) if present_mappings else None
        await operator.resume(flow_id, reason=reason, mapping_set=present)

    _act(config, flow, tenant, "resume", act, as_json=as_json)


def _present(config: Path, tenant: str) -> "MappingSet":
    from gateway import app, configuring

    configuration = configuring.configure(config)
    app.configure_logs(configuration)  # recording it may have to say something
    return configuration.mapping_set(tenant)


@flows.command("retry-from")
@click.argument("flow")
@click.argument("step")
@terminal.REASON
@terminal.TENANT
@terminal.CONFIG
@terminal.JSON
def retry_from(
    flow: str, step: str, reason: str, tenant: str, config: Path, *, as_json: bool
) -> None:
    """Forget STEP and all after it, and go on from there; effects are found again, not undone."""
    _act(
        config,
        flow,
        tenant,
        "retry-from",
        lambda operator, flow_id: operator.retry_from(flow_id, step, reason=reason),
        as_json=as_json,
    )


@flows.command()
@click.argument("flow")
@click.argument("step")
@click.option("--value", default="null", help="What the step would have returned, as JSON.")
@terminal.REASON
@terminal.TENANT
@terminal.CONFIG
@terminal.JSON
def skip(
    flow: str, step: str, value: str, reason: str, tenant: str, config: Path, *, as_json: bool
) -> None:
    """Take STEP as done by hand."""
    try:
        decoded = json.loads(value)
    except ValueError as error:
        raise click.UsageError(f"--value is not JSON: {error}") from error
    _act(
        config,
        flow,
        tenant,
        "skip",
        lambda operator, flow_id: operator.skip(flow_id, step, decoded, reason=reason),
        as_json=as_json,
    )


@flows.command()
@click.argument("flow")
@terminal.REASON
@terminal.TENANT
@terminal.CONFIG
@terminal.JSON
def cancel(flow: str, reason: str, tenant: str, config: Path, *, as_json: bool) -> None:
    """Undo what was done, in reverse order, and end."""
    _act(
        config, flow, tenant, "cancel", lambda one, i: one.cancel(i, reason=reason), as_json=as_json
    )


def _act(
    config: Path,
    flow: str,
    tenant: str,
    action: str,
    act: "Callable[[Operator, str], Awaitable[None]]",
    *,
    as_json: bool,
) -> None:
    async def work(database: "Database") -> str:
        from gateway.runtime.engine import Operator

        found = await _flow(database, flow, tenant)
        flow_id: str = found["flow_id"]
        await act(Operator(database, tenant=found["tenant"], actor=actor()), flow_id)
        return flow_id

    _done(_with_database(config, work), action, as_json=as_json)


def _done(about: str, action: str, *, as_json: bool) -> None:
    if as_json:
        terminal.show_json({"id": about, "action": action, "actor": actor()})
    else:
        click.echo(f"{action}: {about}, by {actor()}")


@flows.command()
@click.argument("order")
@click.option("--accept/--reject", "accepted", default=None, help="One of them is needed.")
@terminal.REASON
@terminal.TENANT
@terminal.CONFIG
@terminal.JSON
def review(
    order: str, reason: str, tenant: str, config: Path, *, accepted: bool | None, as_json: bool
) -> None:
    """Decide an order that risk left to a person."""
    from gateway import configuring

    if accepted is None:
        raise click.UsageError("Say --accept or --reject.")

    name = terminal.one_tenant(configuring.configure(config), tenant)
    decision = "ACCEPTED" if accepted else "REJECTED"

    async def work(database: "Database") -> None:
        async with database.transaction() as connection:
            await _review(connection, name, order, decision, reason)

    _with_database(config, work)
    _done(order, f"review {decision}", as_json=as_json)


async def _review(
    connection: "Connection", tenant: str, order: str, decision: str, reason: str
) -> None:
    """Keep the decision and wake the flow; the first decision stays.

    Raises:
        Rejected: Nobody has to decide this order, or somebody has.
    """
    from gateway.model.identifiers import new_id
    from gateway.runtime import engine

    found = await connection.execute(
        "select f.flow_id, f.queue, d.state, exists (select from headrace.decision x"
        " where x.flow_id = f.flow_id and x.action = 'review')"
        " from headrace.document d join headrace.flow f"
        " on f.tenant = d.tenant and f.business_id = d.id and f.kind = 'place_order'"
        " where d.tenant = %s and d.kind = 'order' and d.id = %s for update of f",
        (tenant, order),
    )
    row = await found.fetchone()
    if row is None:
        raise terminal.no_such_order()
    flow_id, queue, state, is_decided = row
    if state != "RISK_REVIEW" or is_decided:
        said = "has been reviewed" if is_decided else f"is {state}, not in review"
        raise Rejected(f"The order {said}.", code="not_in_review")
    await connection.execute(
        "insert into headrace.decision"
        " (decision_id, flow_id, step, action, payload, actor, reason)"
        " values (%s, %s, 'risk.review', 'review', %s, %s, %s)",
        (new_id(), flow_id, msgspec.json.encode(decision).decode(), actor(), reason),
    )
    await engine.emit(
        connection, queue=queue, event=f"order:{order}:review", payload={"decision": decision}
    )


@click.group()
def webhooks() -> None:
    """Webhook deliveries in the inbox."""


@webhooks.command("list")
@click.option("--state", type=click.Choice(_WEBHOOK_STATES, case_sensitive=False), default="PARKED")
@click.option("--limit", type=click.IntRange(1, 10_000), default=200, show_default=True)
@terminal.TENANT
@terminal.CONFIG
@terminal.JSON
def list_webhooks(state: str, limit: int, tenant: str, config: Path, *, as_json: bool) -> None:
    """Deliveries by state, the parked ones unless told otherwise."""
    sql = (
        b"select seq, tenant, system, event_type, dedupe_key, state, reason, business_id, tries,"
        b" filled, received_at from headrace.inbox where (%s = 'all' or state = %s)"
        b" and (%s = '' or tenant = %s) order by seq desc limit %s"
    )

    async def read(database: "Database") -> list[dict[str, Any]]:
        return await terminal.query(database, sql, (state, state, tenant, tenant, limit))

    found = [
        one | {"received_at": terminal.moment(one["received_at"])}
        for one in _with_database(config, read)
    ]
    columns = (
        *("seq", "tenant", "system", "event_type", "dedupe_key", "state", "reason"),
        *("business_id", "tries", "filled", "received_at"),
    )
    terminal.show_records("webhooks", columns, found, as_json=as_json)


webhooks.add_command(fill)


@webhooks.command("retry")
@click.argument("seq", type=int)
@terminal.TENANT
@terminal.CONFIG
@terminal.JSON
def retry_webhook(seq: int, tenant: str, config: Path, *, as_json: bool) -> None:
    """Apply a parked delivery again."""

    async def work(database: "Database") -> None:
        async with database.transaction() as connection:
            done = await connection.execute(
                "update headrace.inbox set state = 'NEW', due_at = now(), tries = 0,"
                " applied_at = null, reason = %s"
                " where seq = %s and state = 'PARKED' and (%s = '' or tenant = %s)",
                (f"retried by {actor()}", seq, tenant, tenant),
            )
            if not done.rowcount:
                raise Rejected("There is no parked delivery of this number.", code="not_parked")

    _with_database(config, work)
    _done(str(seq), "retry", as_json=as_json)
