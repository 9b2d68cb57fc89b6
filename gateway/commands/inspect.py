"""``headrace trace | timeline | evidence``: what happened to one order."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from gateway.commands import terminal
from gateway.runtime.spans import KeptSpan
from gateway.runtime.timeline import Entry

if TYPE_CHECKING:  # needed for the drawing only
    from rich.tree import Tree


class Branch(msgspec.Struct, frozen=True, kw_only=True):
    """A span with those that it caused.

    Attributes:
        span: None for a parent that is not kept: it is still open, or was never sampled.
        span_id: Of the span, also where it is not kept.
    """

    span_id: str
    span: KeptSpan | None
    children: "tuple[Branch, ...]"


def arrange(spans: list[KeptSpan]) -> tuple[Branch, ...]:
    """The spans as trees; those whose parent is not kept hang under a placeholder.

    A span that was caused from outside (its kind is SERVER) stands at the root: the front-end
    that sent the trace keeps its own spans.
    """
    kept = {span.span_id for span in spans}
    children: dict[str, list[KeptSpan]] = {}
    roots: list[KeptSpan] = []
    for span in spans:
        if span.parent_id in kept or (span.parent_id and span.kind != "SERVER"):
            children.setdefault(span.parent_id, []).append(span)
        else:
            roots.append(span)

    def grow(span: KeptSpan) -> Branch:
        return Branch(
            span_id=span.span_id,
            span=span,
            children=tuple(grow(one) for one in children.get(span.span_id, ())),
        )

    missing = [parent for parent in children if parent not in kept]
    return (
        *(grow(span) for span in roots),
        *(
            Branch(span_id=parent, span=None, children=tuple(grow(one) for one in children[parent]))
            for parent in missing
        ),
    )


@click.command()
@click.argument("order")
@terminal.TENANT
@terminal.CONFIG
@terminal.JSON
def trace(order: str, tenant: str, config: Path, *, as_json: bool) -> None:
    """One order's spans as a tree, without any other software."""
    from gateway import configuring
    from gateway.runtime import spans

    configuration = configuring.configure(config)
    name = terminal.one_tenant(configuration, tenant)

    async def read() -> tuple[str, list[KeptSpan]]:
        async with terminal.opened(configuration) as database, database.connection() as connection:
            return await spans.of_order(connection, tenant=name, order_id=order)

    trace_id, found = terminal.run(read())
    if not trace_id:
        raise terminal.no_such_order()
    branches = arrange(found)
    if as_json:
        terminal.show_json({"trace_id": trace_id, "spans": branches})
    else:
        terminal.console().print(_drawn(f"trace {trace_id}", branches))


def _drawn(title: str, branches: tuple[Branch, ...]) -> "Tree":
    from rich.text import Text
    from rich.tree import Tree

    tree = Tree(Text(title, style="bold"))

    def draw(parent: Tree, branch: Branch, started: float) -> None:
        node = parent.add(_label(branch, started))
        for child in branch.children:
            draw(node, child, started)

    started = min((b.span.started for b in _flat(branches) if b.span), default=0.0)
    for branch in branches:
        draw(tree, branch, started)
    return tree


def _flat(branches: tuple[Branch, ...]) -> list[Branch]:
    return [one for b in branches for one in (b, *_flat(b.children))]


def _label(branch: Branch, started: float) -> Any:
    from rich.text import Text

    span = branch.span
    if span is None:
        return Text(f"span {branch.span_id} is not kept (yet): its flow still runs", style="dim")
    label = Text(span.name, style="red" if span.status == "ERROR" else "")
    label.append(f"  {(span.ended - span.started) * 1000:.1f} ms", style="cyan")
    label.append(f"  +{(span.started - started) * 1000:.0f} ms", style="dim")
    outcome = outcome_of(span)
    if outcome:
        label.append(f"  {outcome}")
    label.append(f"  {span.process}", style="dim")
    return label


def outcome_of(span: KeptSpan) -> str:
    """How a span ended: its own word, its HTTP status, or that it failed."""
    for name in ("headrace.outcome", "error.type", "http.response.status_code"):
        value = span.attributes.get(name)
        if value is not None:
            return str(value)
    return "failed" if span.status == "ERROR" else ""


@click.command()
@click.argument("order")
@terminal.TENANT
@terminal.CONFIG
@terminal.JSON
def timeline(order: str, tenant: str, config: Path, *, as_json: bool) -> None:
    """Everything that happened to an order, oldest first."""
    from gateway import configuring
    from gateway.runtime import timeline as told

    configuration = configuring.configure(config)
    name = terminal.one_tenant(configuration, tenant)

    async def read() -> list[Entry]:
        async with terminal.opened(configuration) as database, database.connection() as connection:
            return await told.of(connection, tenant=name, business_id=order)

    entries = terminal.run(read())
    if not entries:
        raise terminal.no_such_order()
    if as_json:
        terminal.show_json({"order_id": order, "entries": entries})
        return
    columns = ("at", "what", "name", "outcome", "system", "ms", "detail")
    terminal.show_table(f"order {order}", columns, [_line(entry) for entry in entries])


def _line(entry: Entry) -> tuple[str, ...]:
    from datetime import UTC, datetime

    shown = {k: v for k, v in entry.detail.items() if v not in {"", None} and k != "evidence_id"}
    return (
        terminal.moment(datetime.fromtimestamp(entry.at, UTC)),
        entry.what,
        entry.name,
        entry.outcome,
        entry.system,
        f"{entry.duration_ms:.1f}" if entry.duration_ms else "",
        " ".join(f"{name}={value}" for name, value in shown.items()),
    )


_EVIDENCE = b"""
select at, system, product, verb, step, attempt, outcome, status, duration_ms, key, request,
    response, error, trace_id, span_id, evidence_id, mapping
from headrace.evidence
where tenant = %s and business_id = %s and (%s = '' or step = %s) order by at, attempt
"""


@click.command()
@click.argument("order")
@click.option("--step", default="", help="Only this step of the flow.")
@terminal.TENANT
@terminal.CONFIG
@terminal.JSON
def evidence(order: str, step: str, tenant: str, config: Path, *, as_json: bool) -> None:
    """What was sent and answered for an order, redacted when it was kept."""
    from gateway import configuring
    from gateway.errors import Rejected

    configuration = configuring.configure(config)
    name = terminal.one_tenant(configuration, tenant)

    async def read() -> list[dict[str, Any]]:
        async with terminal.opened(configuration) as database:
            return await terminal.query(database, _EVIDENCE, (name, order, step, step))

    attempts = terminal.run(read())
    if not attempts:
        raise Rejected("There is no evidence of such an order or step.", code="not_found")
    if as_json:
        terminal.show_json(attempts)
        return
    for one in attempts:
        _show_attempt(one)


def _show_attempt(one: dict[str, Any]) -> None:
    from rich.text import Text

    out = terminal.console()
    out.rule(
        Text(
            f"{terminal.moment(one['at'])} {one['product']}.{one['verb']} to {one['system']},"
            f" step {one['step']}, attempt {one['attempt']}: {one['outcome']},"
            f" {one['duration_ms']:.1f} ms"
        ),
        align="left",
    )
    if one["mapping"]:
        out.print(Text(f"made by {one['mapping']}", style="dim"))
    out.print(Text(one["request"]))
    out.print(Text(f"\n{one['response'] or one['error'] or 'no answer'}\n"))
