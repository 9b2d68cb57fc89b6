"""Wiring: from configuration to a process that serves or works. No globals, nothing at import."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import httpx
from litestar import Litestar
from litestar.di import Provide
from litestar.types import ASGIApp
from opentelemetry.sdk.trace.export import SpanExporter

from gateway.api import (
    amendments,
    amounts,
    confirmations,
    contract,
    disputes,
    explaining,
    health,
    held_mandates,
    hot,
    mandates,
    members,
    operations,
    orders,
    payment_methods,
    payments,
    payouts,
    problems,
    receipts,
    refund_cancellations,
    refunds,
    timelines,
    transfers,
    wallets,
    webhooks,
)
from gateway.api.facade import Facade
from gateway.api.pipeline import Pipeline
from gateway.configuring import Configuration, policy_of
from gateway.flows import (
    cancel_refund,
    change_payment,
    confirm_payment,
    create_mandate,
    distribute_payment,
    place_order,
    resolve_dispute,
    send_payout,
    sync_payment,
    take_payment,
    transfer_funds,
)
from gateway.flows.receive_event import EventReceiver
from gateway.policy.access import Access, Caller
from gateway.runtime import embedded, mapping_sets, metrics, secrets, telemetry
from gateway.runtime.database import Database
from gateway.runtime.evidence import Call
from gateway.runtime.gaps import Gaps
from gateway.runtime.hub import Hub, System, Tenant
from gateway.runtime.inbox import Inbox
from gateway.runtime.journal import Journal
from gateway.runtime.keyring import KeyRing
from gateway.runtime.spans import PostgresExporter
from gateway.runtime.telemetry import OtlpExporter, Telemetry
from gateway.runtime.transport import Transport
from gateway.runtime.wire import Wire
from gateway.runtime.worker import Flow, Worker
from gateway.settings import CallPolicy, Settings

P = TypeVar("P")

FLOWS: Final = {
    kind: Flow(kind=kind, queue=queue, run=run)
    for kind, queue, run in (
        (place_order.KIND, place_order.QUEUE, place_order.place_order),
        (take_payment.KIND, take_payment.QUEUE, take_payment.take_payment),
        (change_payment.CAPTURE, change_payment.QUEUE, change_payment.capture_payment),
        (change_payment.UPDATE, change_payment.QUEUE, change_payment.update_payment),
        (confirm_payment.KIND, confirm_payment.QUEUE, confirm_payment.confirm_payment),
        (change_payment.CANCEL, change_payment.QUEUE, change_payment.cancel_payment),
        (cancel_refund.KIND, cancel_refund.QUEUE, cancel_refund.cancel_refund),
        (change_payment.REFUND, change_payment.QUEUE, change_payment.refund_payment),
        (resolve_dispute.KIND, resolve_dispute.QUEUE, resolve_dispute.resolve_dispute),
        (
            distribute_payment.KIND,
            distribute_payment.QUEUE,
            distribute_payment.distribute_payment,
        ),
        (sync_payment.KIND, sync_payment.QUEUE, sync_payment.sync_payment),
        (send_payout.KIND, send_payout.QUEUE, send_payout.send_payout),
        (send_payout.CANCEL, send_payout.QUEUE, send_payout.cancel_payout),
        (send_payout.SYNC, send_payout.SYNC_QUEUE, send_payout.sync_payout),
        (transfer_funds.KIND, transfer_funds.QUEUE, transfer_funds.transfer_funds),
        (transfer_funds.REVERSE, transfer_funds.QUEUE, transfer_funds.reverse_transfer),
        (transfer_funds.SYNC, transfer_funds.SYNC_QUEUE, transfer_funds.sync_transfer),
        (create_mandate.KIND, create_mandate.QUEUE, create_mandate.create_mandate),
        (create_mandate.REVOKE, create_mandate.QUEUE, create_mandate.revoke_mandate),
        (create_mandate.SYNC, create_mandate.SYNC_QUEUE, create_mandate.sync_mandate),
    )
}


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The parts of one process, wired but not started."""

    configuration: Configuration
    database: Database
    journal: Journal
    telemetry: Telemetry
    hub: Hub
    wire: httpx.AsyncBaseTransport


def database_url(settings: Settings) -> str:
    """Where PostgreSQL is; the embedded one is started where none is configured."""
    url = settings.database.url
    if url.startswith(("env:", "file:")):
        return secrets.resolve(url, field="database.url")
    return url or embedded.start(Path(settings.data))


def build(
    configuration: Configuration,
    url: str,
    *,
    role: str,
    wire: httpx.AsyncBaseTransport | None = None,
    exporters: tuple[SpanExporter, ...] | None = None,
) -> Parts:
    """Wire the parts of one process.

    Args:
        url: Of the database.
        role: ``serve`` or ``worker``, shown in telemetry.
        wire: Sends requests; tests give simulators here.
        exporters: Take the spans; from the settings where None.
    """
    settings = configuration.settings
    database = Database(url, pool=settings.database.pool)
    journal = Journal(database)
    if exporters is None:
        exporters = tuple(_exporters(settings, url, role))
    tracing = Telemetry(
        service=f"{settings.telemetry.service}-{role}",
        sampling=settings.telemetry.sampling,
        exporters=exporters,
    )
    metrics.configure(
        f"{settings.telemetry.service}-{role}", endpoint=settings.telemetry.otlp_endpoint
    )
    wire = wire or Wire()
    transport = Transport(
        wire,
        policy=_policies(configuration),
        evidence=journal.keep,
        tracer=tracing.tracer,
        random=random.Random(),  # noqa: S311 - jitter
    )
    tenants = {name: _tenant(configuration, name) for name in configuration.tenants}
    return Parts(
        configuration=configuration,
        database=database,
        journal=journal,
        telemetry=tracing,
        hub=Hub(transport, tenants),
        wire=wire,
    )


def _exporters(settings: Settings, url: str, role: str) -> list[SpanExporter]:
    exporters: list[SpanExporter] = []
    if settings.telemetry.keep_traces:
        exporters.append(PostgresExporter(url, process=role))
    if settings.telemetry.otlp_endpoint:
        exporters.append(OtlpExporter(settings.telemetry.otlp_endpoint))
    return exporters


def _policies(configuration: Configuration) -> Callable[[Call], CallPolicy]:
    def policy(call: Call) -> CallPolicy:
        return policy_of(configuration.policies[(call.tenant, call.system)], call.verb)

    return policy


def _tenant(configuration: Configuration, name: str) -> Tenant:
    tenant = configuration.tenants[name]
    systems = configuration.systems[name]

    def bound(port: str, system: str) -> System[Any]:
        adapter, settings = systems[system]
        return System(
            tenant=name,
            name=system,
            adapter=adapter,
            settings=settings,
            port_name=port,
            port=configuration.port(name, system, port),
        )

    def having(port: str) -> list[str]:
        return [system for system, (adapter, _) in systems.items() if port in adapter.ports]

    return Tenant(
        settings=tenant,
        mapping_set=configuration.mapping_set(name).identity,
        erp=bound("erp", tenant.routing.erp),
        crm=bound("crm", tenant.routing.crm),
        risk=bound("risk", tenant.routing.risk),
        collectors={
            system: bound("payments", system)
            for system, (adapter, _) in systems.items()
            if "payments" in adapter.ports
        },
        adjusters={system: bound("adjustments", system) for system in having("adjustments")},
        confirmers={system: bound("confirmations", system) for system in having("confirmations")},
        refund_cancellers={
            system: bound("refund_cancellations", system)
            for system in having("refund_cancellations")
        },
        disputes={system: bound("disputes", system) for system in having("disputes")},
        receivers={
            system: configuration.port(name, system, "webhooks") for system in having("webhooks")
        },
        key_sources={system: bound("webhook_keys", system) for system in having("webhook_keys")},
        payers={system: bound("payouts", system) for system in having("payouts")},
        movers={system: bound("transfers", system) for system in having("transfers")},
        holders={system: bound("mandates", system) for system in having("mandates")},
        challenges={
            system: configuration.port(name, system, "webhook_challenges")
            for system in having("webhook_challenges")
        },
        reporters={system: bound("reports", system) for system in having("reports")},
        banks={system: bound("bank_files", system) for system in having("bank_files")},
    )


@asynccontextmanager
async def running(parts: Parts) -> AsyncIterator[Parts]:
    """The parts, started; stopped in reverse when the block ends, whatever waits written."""
    await parts.database.open()
    sets = [parts.configuration.mapping_set(name) for name in parts.configuration.tenants]
    await mapping_sets.record(parts.database, sets)
    recording = asyncio.create_task(mapping_sets.record_for_ever(parts.database, sets))
    parts.journal.start()
    try:
        yield parts
    finally:
        recording.cancel()
        await parts.journal.stop()
        await parts.wire.aclose()
        await parts.database.close()
        parts.telemetry.close()


def create_app(parts: Parts) -> ASGIApp:
    """The facade and the webhook receiver."""
    settings = parts.configuration.settings.server
    inbox = Inbox(parts.database, queue=settings.inbox_queue)
    facade = Facade(
        database=parts.database,
        hub=parts.hub,
        inbox=inbox,
        keyring=KeyRing(parts.hub),
        access=_access(parts.configuration),
        settings=settings,
        tenants=tuple(parts.configuration.tenants),
    )

    @asynccontextmanager
    async def lifespan(_app: Litestar) -> AsyncIterator[None]:
        async with running(parts):
            inbox.start()
            try:
                yield
            finally:
                await inbox.stop()

    application = Litestar(
        route_handlers=_routes(facade),
        dependencies={"facade": Provide(lambda: facade, sync_to_thread=False)},
        exception_handlers={Exception: problems.of_request},
        lifespan=[lifespan],
        openapi_config=None,
        request_max_body_size=settings.body_limit_bytes,
        logging_config=None,
    )
    return Pipeline(
        application,
        direct={
            path: hot.direct(serve, facade) for path, serve in _POSTS.items() if "{" not in path
        },
        tracer=parts.telemetry.tracer,
        in_flight=settings.in_flight,
        loop_lag_s=settings.loop_lag_s,
    )


# What serves a POST; those without parameters need no router (ADR 0027).
_POSTS: Final[dict[str, hot.Serve]] = {
    "/v1/orders": orders.submit_order,
    "/v1/payments": payments.submit_payment,
    "/v1/payments/explain": explaining.explain_payment,
    "/v1/payments/{payment_id:str}/capture": payments.capture_payment,
    "/v1/payments/{payment_id:str}/confirm": confirmations.confirm,
    "/v1/payments/{payment_id:str}/amount": amounts.update_amount,
    "/v1/payments/{payment_id:str}/cancel": payments.cancel_payment,
    "/v1/payments/{payment_id:str}/sync": payments.sync_payment,
    "/v1/refunds": refunds.submit_refund,
    "/v1/payment-methods": payment_methods.add_payment_method,
    "/v1/disputes/{dispute_id:str}/accept": disputes.accept_dispute,
    "/v1/disputes/{dispute_id:str}/evidence": disputes.submit_evidence,
    "/v1/payments/{payment_id:str}/received": receipts.receive_payment,
    "/v1/refunds/{refund_id:str}/cancel": refund_cancellations.cancel_refund,
    "/v1/refunds/{refund_id:str}/settled": receipts.settle_refund,
    "/v1/mandates": mandates.submit_mandate,
    "/v1/mandates/{mandate_id:str}/activate": mandates.activate_mandate,
    "/v1/mandates/{mandate_id:str}/amend": amendments.amend_mandate,
    "/v1/mandates/{mandate_id:str}/revoke": mandates.revoke_mandate,
    "/v1/mandates/{mandate_id:str}/sync": held_mandates.sync_mandate,
    "/v1/payouts": payouts.submit_payout,
    "/v1/payouts/{payout_id:str}/approve": payouts.approve_payout,
    "/v1/payouts/{payout_id:str}/cancel": payouts.cancel_payout,
    "/v1/payouts/{payout_id:str}/verification": payouts.verify_payee,
    "/v1/transfers": transfers.submit_transfer,
    "/v1/transfers/{transfer_id:str}/reverse": transfers.reverse_transfer,
}


def _routes(facade: Facade) -> list[Any]:
    """All routes; ``api.routes`` describes them."""
    return [
        *(hot.post(path, serve, facade) for path, serve in _POSTS.items()),
        orders.get_order,
        timelines.get_order_timeline,
        timelines.get_payment_timeline,
        refunds.get_refund,
        payment_methods.list_payment_methods,
        payment_methods.get_payment_method,
        payment_methods.revoke_payment_method,
        disputes.list_disputes,
        disputes.get_dispute,
        mandates.list_mandates,
        mandates.get_mandate,
        operations.get_operation,
        payments.list_payments,
        payouts.get_payout,
        hot.put("/v1/members/{member_id:str}", members.put_member, facade),
        members.get_member,
        wallets.get_wallet,
        wallets.list_wallet_entries,
        transfers.get_transfer,
        payouts.get_payout_batch,
        payments.get_payment,
        payments.list_capabilities,
        webhooks.receive_webhook,
        health.live,
        health.ready,
        health.explain_problem,
        contract.get_contract,
    ]


def _access(configuration: Configuration) -> Access:
    keys = {
        secrets.resolve(one.key, field=f"server.api_keys.{one.client}"): Caller(
            one.client, one.tenant
        )
        for one in configuration.settings.server.api_keys
    }
    return Access(keys, tuple(configuration.tenants))


def create_worker(parts: Parts) -> tuple[Worker, EventReceiver]:
    """The worker that runs flows, and what applies the inbox."""
    worker = Worker(
        database=parts.database,
        journal=parts.journal,
        hub=parts.hub,
        telemetry=parts.telemetry,
        flows=FLOWS,
        settings=parts.configuration.settings.worker,
    )
    return worker, EventReceiver(parts.hub, parts.telemetry)


def create_gaps(parts: Parts) -> Gaps:
    """What looks for webhooks that never came."""
    return Gaps(parts.database, parts.hub, parts.configuration.settings.gaps)


def configure_logs(configuration: Configuration) -> None:
    """Logs as the settings want them."""
    telemetry.configure_logs(configuration.settings.telemetry.log_level)
