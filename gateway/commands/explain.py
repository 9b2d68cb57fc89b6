"""``headrace explain``: what would become of an order, without sending anything anywhere."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from gateway.commands import terminal
from gateway.kit.mapping import Lineage
from gateway.model.identifiers import new_id
from gateway.model.order import Order
from gateway.model.risk import RiskAssessment
from gateway.model.route import Route
from gateway.policy import attempting, ordering, routing
from gateway.policy.validation import FieldError, Invalid, read_order
from gateway.ports.exchange import Exchange
from gateway.runtime.hub import System, Tenant
from gateway.runtime.sealed import SealedWire, WouldSend, shown, would_send

if TYPE_CHECKING:  # --help does not need it
    from gateway.configuring import Configuration


class Translation(msgspec.Struct, frozen=True, kw_only=True):
    """A mapping of a system, and where each field of the product comes from.

    Attributes:
        mapping: Its reference, as it stands in evidence and spans.
        shown: One of the requests is made by it; others come with later calls.
    """

    system: str
    mapping: str
    shown: bool
    fields: tuple[Lineage, ...]


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """What would become of an order.

    Attributes:
        errors: What is wrong with it; nothing else follows then.
        route: Why the payment goes where it goes.
        requests: The first request of each system, in the order of the flow.
        translations: The mappings of the systems that it would go to.
        mapping_set: Identity of all mappings of the tenant, which the flow would keep.
    """

    accepted: bool
    errors: tuple[FieldError, ...] = ()
    assessment: RiskAssessment | None = None
    routing: dict[str, str] = {}
    route: Route | None = None
    requests: tuple[WouldSend, ...] = ()
    translations: tuple[Translation, ...] = ()
    mapping_set: str = ""


@click.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--fields", is_flag=True, help="Where each field of a request comes from.")
@terminal.TENANT
@terminal.CONFIG
@terminal.JSON
def explain(file: Path, tenant: str, config: Path, *, fields: bool, as_json: bool) -> None:
    """What would become of the order in FILE; nothing is stored and nothing is sent.

    Exit code 1 where the order would be refused.
    """
    from gateway import app, configuring

    configuration = configuring.configure(config)
    app.configure_logs(configuration)
    name = terminal.one_tenant(configuration, tenant)
    explanation = terminal.run(explained(configuration, name, file.read_bytes()))
    if as_json:
        terminal.show_json(explanation)
    else:
        _show(explanation, fields=fields)
    if not explanation.accepted:
        raise SystemExit(1)


async def explained(configuration: "Configuration", name: str, body: bytes) -> Explanation:
    """Validation, decision, routing and first requests of an order."""
    from gateway import app

    sealed = SealedWire()
    parts = app.build(
        configuration, "postgresql://127.0.0.1:1/none", role="explain", wire=sealed, exporters=()
    )
    tenant = parts.hub.tenant(name)
    try:
        new = read_order(body, currencies=tenant.settings.currencies, choice=tenant.choice)
    except Invalid as error:
        return Explanation(accepted=False, errors=error.errors)
    at = datetime.now(UTC).isoformat()
    order, _ = ordering.submit(new, order_id=new_id(), payment_id=new_id(), at=at)
    assessment, asked = await _assessed(tenant, order, sealed)
    if assessment is not None:
        order, _ = ordering.decide(order, assessment)
    route = parts.hub.route(
        tenant,
        routing.of_payment(attempting.of_order(order, at=order.submitted_at)),
    )
    requests = [asked] if asked else [
        one for target, exchange in _first_calls(tenant, order, route, at)
        for one in await would_send(target, exchange, sealed)
    ]  # fmt: skip
    if assessment is not None and order.state == "REJECTED":
        requests = []
    return Explanation(
        accepted=order.state != "REJECTED",
        assessment=assessment,
        routing={
            port: f"{target.name} ({target.adapter.title})"
            for port, target in (
                ("risk", tenant.risk),
                ("crm", tenant.crm),
                ("erp", tenant.erp),
                ("payments", tenant.collectors.get(route.system)),
            )
            if target is not None
        },
        route=route,
        requests=tuple(requests),
        translations=tuple(_translations(configuration, name, requests)) if requests else (),
        mapping_set=tenant.mapping_set,
    )


def _translations(
    configuration: "Configuration", tenant: str, requests: list[WouldSend]
) -> Iterator[Translation]:
    """The mappings of the systems that requests go to, as they are with the tenant's overlays."""
    made_by = {(one.system, one.made_by) for one in requests}
    for system in dict.fromkeys(one.system for one in requests):
        for made in (configuration.mappings[tenant, system] or {}).values():
            yield Translation(
                system=system,
                mapping=made.reference,
                shown=(system, made.reference) in made_by,
                fields=made.lineage(),
            )


async def _assessed(
    tenant: Tenant, order: Order, sealed: SealedWire
) -> tuple[RiskAssessment | None, WouldSend | None]:
    """The decision where it can be made without asking anybody, else what would be asked."""
    exchange = tenant.risk.port.assess(order, key=f"{order.order_id}:risk.assess")
    try:
        request = next(exchange)
    except StopIteration as end:
        assessment: RiskAssessment = end.value
        return assessment, None
    return None, await shown(tenant.risk, "assess", request, sealed)


def _first_calls(
    tenant: Tenant, order: Order, route: Route, at: str
) -> list[tuple[System[Any], Exchange[Any]]]:
    """The calls of ``place_order`` that need nothing from an earlier one."""
    key = order.order_id
    calls: list[tuple[System[Any], Exchange[Any]]] = [
        (
            tenant.crm,
            tenant.crm.port.upsert_account(order.party, key=f"{key}:crm.upsert_account"),
        ),
        (
            tenant.erp,
            tenant.erp.port.upsert_business_partner(
                order.party, key=f"{key}:erp.upsert_business_partner"
            ),
        ),
    ]
    if route.system:
        provider, payment_key = tenant.collectors[route.system], f"{key}:payments.create_payment"
        intended = attempting.of_order(order, at=at)
        needs_payer = tenant.needs_payer(intended.method_code)
        payment = attempting.attempt(intended, route, needs_payer=needs_payer)
        calls.append((provider, provider.port.create_payment(payment, key=payment_key)))
    return calls


def _show(explanation: Explanation, *, fields: bool) -> None:
    from rich.text import Text

    if explanation.errors:
        rows = [(one.pointer or "/", one.code, one.detail) for one in explanation.errors]
        terminal.show_table("the order would be refused", ("field", "rule", "what to do"), rows)
        return
    decision = explanation.assessment
    if decision is not None:
        rows = [(decision.decision.value, one.code, one.text) for one in decision.reasons]
        terminal.show_table(
            f"risk ({decision.strategy_version})", ("decision", "reason", "text"), rows
        )
    terminal.show_table("routing", ("port", "system"), list(explanation.routing.items()))
    if explanation.route is not None:
        why = [(one.system, one.code) for one in explanation.route.reasons]
        terminal.show_table("payment route", ("system", "why"), why)
    out = terminal.console()
    for one in explanation.requests:
        out.rule(Text(f"{one.step} to {one.system}"), align="left")
        out.print(Text(f"{one.request or one.problem}\n"))
    if fields:
        for each in explanation.translations:
            _show_fields(each)
    click.echo(f"The flow would keep the mappings {explanation.mapping_set} until it ends.")
    click.echo("Nothing was stored and nothing was sent.")


def _show_fields(translation: Translation) -> None:
    when = "" if translation.shown else ", with a later call"
    rows = [
        (one.target, " ".join(one.sources), one.rule, f"{one.file}:{one.line}")
        for one in translation.fields
        if one.target.startswith("/")
    ]
    title = f"{translation.mapping} to {translation.system}{when}"
    terminal.show_table(title, ("field", "comes from", "rule", "line"), rows)
