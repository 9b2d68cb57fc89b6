"""What an operator types: ``headrace.yaml`` for the process, one file per tenant.

Every mistake is reported with file, line and field, and the process does not start. Secrets are
never written here, only referred to: ``env:NAME`` or ``file:/path``.
"""

import re
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeAlias, TypeVar

import msgspec
import yaml
from msgspec import Meta

from gateway.errors import Misconfigured

T = TypeVar("T")
Seconds = Annotated[float, Meta(gt=0, le=86_400)]
Share = Annotated[float, Meta(ge=0, le=1)]
# What to do where a name does not surely belong to an IBAN; ask is approval by a person.
PayeeDecision: TypeAlias = Literal["allow", "ask", "block"]
Name = Annotated[str, Meta(pattern="^[a-z][a-z0-9_-]{0,39}$")]


class CallPolicy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a system is called; each verb may differ.

    Attributes:
        connect_timeout_s: Until a connection stands; nothing has left by then.
        timeout_s: Until the whole answer is there, for one attempt.
        attempts: At most so many attempts in one call. Only what surely did not happen, or what
            only reads, is tried again.
        backoff_s: First pause between attempts; doubles, with full jitter.
        backoff_max_s: Longest pause. A longer Retry-After ends the call as unavailable.
        deadline_s: For the whole call with all attempts and pauses.
        concurrency: At most so many requests under way at once in this process.
        queue_s: Longest wait for a free place.
        breaker_failure_share: Open when this share of the last calls failed.
        breaker_slow_share: Open when this share of the last calls was slow.
        breaker_slow_s: From here on a call is slow.
        breaker_window: How many calls are looked at.
        breaker_minimum: Never open on fewer calls.
        breaker_open_s: How long nothing is sent before one call may try.
        breaker_trials: So many good trial calls close the breaker.
    """

    connect_timeout_s: Seconds = 3.0
    timeout_s: Seconds = 10.0
    attempts: Annotated[int, Meta(ge=1, le=10)] = 3
    backoff_s: Seconds = 0.2
    backoff_max_s: Seconds = 5.0
    deadline_s: Seconds = 20.0
    concurrency: Annotated[int, Meta(ge=1, le=10_000)] = 64
    queue_s: Seconds = 5.0
    breaker_failure_share: Share = 0.5
    breaker_slow_share: Share = 0.9
    breaker_slow_s: Seconds = 8.0
    breaker_window: Annotated[int, Meta(ge=2, le=10_000)] = 50
    breaker_minimum: Annotated[int, Meta(ge=1, le=10_000)] = 10
    breaker_open_s: Seconds = 5.0
    breaker_trials: Annotated[int, Meta(ge=1, le=100)] = 2


class SystemSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One configured adapter: an account, a client, a landscape.

    Attributes:
        name: How routing and URLs call it, such as ``stripe_de``.
        adapter: Folder under ``adapters/``, or ``decision_table`` for the embedded risk rules.
        settings: What the adapter's own README lists; secrets as ``env:`` or ``file:``.
        overlays: Files that change the product's mappings, relative to this one. Their names end
            with ``.overlay.yaml``: ``[acme-order.overlay.yaml]``.
        policy: How it is called.
        verbs: Policy fields that differ for a verb: ``{create_sales_order: {timeout_s: 30}}``.
    """

    name: Name
    adapter: Annotated[str, Meta(pattern="^[a-z][a-z0-9_]{0,39}$")]
    settings: dict[str, Any] = {}
    overlays: tuple[Annotated[str, Meta(pattern=r"^[A-Za-z0-9._/-]+\.overlay\.yaml$")], ...] = ()
    policy: CallPolicy = CallPolicy()
    verbs: dict[str, dict[str, Any]] = {}


class PaymentRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which payments go to which systems. Conditions that are left out are met.

    Attributes:
        name: Shown with every decision.
        methods: Canonical methods, such as ``sepa_debit``.
        countries: Of the payer, ISO 3166-1 alpha-2.
        currencies: ISO 4217.
        channels: Of the order, such as ``B2C``.
        above: Only amounts above this one, in the currency of the payment; one currency is needed.
        up_to: Only amounts up to this one.
        to: System to its share of the customers: ``{stripe: 90, adyen: 10}``.
    """

    name: Annotated[str, Meta(min_length=1, max_length=80)]
    methods: tuple[str, ...] = ()
    countries: tuple[Annotated[str, Meta(pattern="^[A-Z]{2}$")], ...] = ()
    currencies: tuple[Annotated[str, Meta(pattern="^[A-Z]{3}$")], ...] = ()
    channels: tuple[str, ...] = ()
    above: Annotated[str, Meta(pattern=r"^([0-9]{1,13}(\.[0-9]{1,4})?)?$")] = ""
    up_to: Annotated[str, Meta(pattern=r"^([0-9]{1,13}(\.[0-9]{1,4})?)?$")] = ""
    to: Annotated[dict[Name, Annotated[int, Meta(ge=1, le=1000)]], Meta(min_length=1)]


class Routing(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which system fulfils which port for a tenant.

    Attributes:
        erp, crm, risk, payments: Names of systems; for payments the one that no rule names.
        payment_rules: The first that fits decides.
        payment_fallbacks: Systems that take what those of the rule and the default cannot take.
        payment_cascade: Reasons of a refusal after which the next system is asked at once; only
            for payments without token and mandate, and never while an outcome is unknown.
    """

    erp: Name
    crm: Name
    risk: Name
    payments: Name
    payment_rules: tuple[PaymentRule, ...] = ()
    payment_fallbacks: tuple[Name, ...] = ()
    payment_cascade: tuple[str, ...] = ("processing_error", "unavailable")


class Patience(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long the flows of a tenant wait before they decide or ask a person.

    Attributes:
        payment_confirmation_s: Wait for the provider's webhook; then look the payment up.
        payment_pending_s: The same while the provider says that it takes days (direct debits).
        unavailable_s: Pauses while a system is away; the last one repeats.
        unavailable_for_s: After so long a person is asked.
        in_doubt_s: Pauses between look-ups of an unknown outcome; after the last a person is asked.
    """

    payment_confirmation_s: Seconds = 900.0
    payment_pending_s: Seconds = 86_400.0
    unavailable_s: tuple[Seconds, ...] = (1.0, 2.0, 5.0, 15.0, 60.0, 300.0)
    unavailable_for_s: Seconds = 86_400.0
    in_doubt_s: tuple[Seconds, ...] = (
        *(10.0, 60.0, 300.0, 3_600.0, 21_600.0),
        *(86_400.0,) * 6,
    )


class PayoutSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What money that leaves has to wait for.

    Attributes:
        approve_from: From which amount another client than the one who asked has to approve:
            ``{EUR: "1000.00"}``. As soon as one currency stands here, those that do not need it
            for every amount. Empty for never.
        verify_payee: Whether a payout to an IBAN waits for its verification of payee.
        on_close_match, on_no_match, on_unverifiable: What to do when the name nearly fits
            (RVMC), does not fit (RVNM), or nobody can tell (RVNA).
    """

    approve_from: dict[
        Annotated[str, Meta(pattern="^[A-Z]{3}$")],
        Annotated[str, Meta(pattern=r"^[0-9]{1,13}(\.[0-9]{1,4})?$")],
    ] = {}
    verify_payee: bool = True
    on_close_match: PayeeDecision = "ask"
    on_no_match: PayeeDecision = "block"
    on_unverifiable: PayeeDecision = "allow"


class WalletSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether the ledger here says whose money it is, where a provider does not divide it.

    The ledger mirrors what lies at payment institutions. To hold money of others needs a licence in
    the European Union (PSD2, in Germany ZAG): ask before you switch it on.

    Attributes:
        enabled: Whether payments may be divided in the ledger, and be paid out of wallets.
        own_money: Whether members may also be paid out of wallets by bank files: these take the
            platform's own money, and no institution stands between.
    """

    enabled: bool = False
    own_money: bool = False


class TenantSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One client of the platform.

    Attributes:
        tenant: Name in URLs and records.
        currencies: What the tenant sells in; an order in another currency is refused.
        systems: The systems that are connected.
        routing: Which of them does what.
        payouts: What money that leaves has to wait for.
        wallets: Whose money it is where no provider says so.
    """

    tenant: Name
    currencies: Annotated[
        tuple[Annotated[str, Meta(pattern="^[A-Z]{3}$")], ...], Meta(min_length=1)
    ]
    systems: tuple[SystemSettings, ...]
    routing: Routing
    patience: Patience = Patience()
    payouts: PayoutSettings = PayoutSettings()
    wallets: WalletSettings = WalletSettings()


class DatabaseSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where PostgreSQL is.

    Attributes:
        url: ``postgresql://…``, or a reference to a secret. Empty starts the embedded PostgreSQL
            in the data folder.
        pool: Connections of one process.
    """

    url: Annotated[str, Meta(pattern="^(postgres(ql)?://.*|env:.+|file:.+)?$")] = ""
    pool: Annotated[int, Meta(ge=2, le=200)] = 8


class ApiKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One front-end that may call the facade.

    Attributes:
        client: Name of the front-end, in logs and for its idempotency keys.
        tenant: For whom it acts.
        key: Reference to its key: ``env:NAME`` or ``file:/path``.
    """

    client: Name
    tenant: Name
    key: Annotated[str, Meta(pattern="^(env|file):.+$")]


class ServerSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The facade and the webhook receiver.

    Attributes:
        host: Address to bind.
        port: TCP port.
        body_limit_bytes: Larger bodies are refused with 413.
        in_flight: More requests at once are refused with 503, health and webhooks excepted.
        loop_lag_s: A busier event loop refuses likewise.
        idempotency_days: How long an Idempotency-Key is remembered.
        inbox_queue: Webhooks that may wait for a commit before 503.
        api_keys: Who may call the facade, as ``Authorization: Bearer …``. Empty lets everybody
            in, which is refused unless the host is a loopback address.
    """

    host: str = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65_535)] = 8080
    body_limit_bytes: Annotated[int, Meta(ge=1024)] = 1_048_576
    in_flight: Annotated[int, Meta(ge=1)] = 512
    loop_lag_s: Seconds = 0.5
    idempotency_days: Annotated[int, Meta(ge=1, le=366)] = 30
    inbox_queue: Annotated[int, Meta(ge=1)] = 10_000
    api_keys: tuple[ApiKey, ...] = ()


class WorkerSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The process that runs flows.

    Attributes:
        concurrency: Flows at once in one process.
        lease_s: A worker that is silent so long loses its flows to another. Must be at least
            twice the longest time-out of any single attempt.
        attempts: A flow that has cost so many workers their lease is parked for a person.
        poll_s: How often an idle worker looks for work.
        drain_s: How long a stopping worker finishes what it has begun.
        health_port: Where /livez and /readyz of the worker are served; 0 for nowhere.
    """

    concurrency: Annotated[int, Meta(ge=1, le=1_000)] = 32
    lease_s: Annotated[int, Meta(ge=2, le=3_600)] = 30
    attempts: Annotated[int, Meta(ge=2, le=1_000_000)] = 50
    poll_s: Seconds = 0.1
    drain_s: Seconds = 10.0
    health_port: Annotated[int, Meta(ge=0, le=65_535)] = 8081


class TelemetrySettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Logs, traces, metrics.

    Attributes:
        log_level: debug, info, warning or error.
        sampling: Share of traces that are recorded from the start; errors are always kept.
        otlp_endpoint: ``http://collector:4318``; empty sends nothing.
        keep_traces: Keep spans in PostgreSQL too, for ``headrace trace``.
        service: ``service.name`` of this process.
    """

    log_level: Annotated[str, Meta(pattern="^(debug|info|warning|error)$")] = "info"
    sampling: Share = 1.0
    otlp_endpoint: str = ""
    keep_traces: bool = True
    service: str = "headrace"


class RetentionSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long is kept what is no business fact; documents and flows stay for ever.

    Attributes:
        journal_days: Steps of flows that have ended.
        evidence_days: What was sent to other systems and what they answered, redacted.
        webhooks_days: Deliveries that were applied or ignored; parked ones wait for a person.
            A repetition that comes later is new, so never shorter than providers repeat.
        events_days: Our own events; 0 keeps them for ever.
        traces_days: Spans in PostgreSQL.
    """

    journal_days: Annotated[int, Meta(ge=1, le=7_300)] = 400
    evidence_days: Annotated[int, Meta(ge=1, le=7_300)] = 400
    webhooks_days: Annotated[int, Meta(ge=35, le=7_300)] = 400
    events_days: Annotated[int, Meta(ge=0, le=7_300)] = 0
    traces_days: Annotated[int, Meta(ge=1, le=7_300)] = 14


class GapSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Webhooks that never came: the lists of providers are compared with the inbox.

    Attributes:
        every_s: How often each system's list is compared; 0 for never.
        look_back_days: So far back the first time.
        overlap_s: So much of what was compared before is compared again, because lists may be
            late and clocks differ.
        grace_s: What is younger may still be on its way, and is left for the next time.
        pause_s: Between two requests to a system.
    """

    every_s: Annotated[float, Meta(ge=0, le=86_400)] = 900.0
    look_back_days: Annotated[int, Meta(ge=1, le=30)] = 3
    overlap_s: Seconds = 3_600.0
    grace_s: Seconds = 300.0
    pause_s: Seconds = 1.0


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One process of the hub.

    Attributes:
        data: Folder for the embedded database and for exports.
        tenants: Folder with one file per tenant.
    """

    data: str = "var"
    tenants: str = "tenants"
    database: DatabaseSettings = DatabaseSettings()
    server: ServerSettings = ServerSettings()
    worker: WorkerSettings = WorkerSettings()
    telemetry: TelemetrySettings = TelemetrySettings()
    retention: RetentionSettings = RetentionSettings()
    gaps: GapSettings = GapSettings()


def load(path: Path, kind: type[T]) -> T:
    """Read one YAML file as the given settings.

    Raises:
        Misconfigured: With file, line and field of the first mistake.
    """
    try:
        data = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506 - it is safe
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured(f"{path}: cannot be read as UTF-8", code="config_missing") from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise Misconfigured(f"{path}:{line}: {error.problem}", code="config_syntax") from error
    except yaml.YAMLError as error:
        reason = "holds a character that YAML does not allow"
        raise Misconfigured(f"{path}: {reason}", code="config_syntax") from error
    try:
        return msgspec.convert({} if data is None else data, kind)
    except msgspec.ValidationError as error:
        raise invalid(path, "$", error) from error


class _Loader(yaml.SafeLoader):
    """YAML's safe types, and no name twice: which of the two counts, nobody would see."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> Any:  # noqa: FBT001, FBT002 - PyYAML's signature
        """The mapping, checked."""
        seen: set[str] = set()
        for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
            if key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"{key.value!r} stands twice", key.start_mark
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep=deep)


def invalid(path: Path, where: str, error: msgspec.ValidationError) -> Misconfigured:
    """The error that names file, line and field of what msgspec found.

    Args:
        where: The field that was converted, such as ``$`` or ``$.systems[0].settings``.
    """
    reason, _, field = str(error).partition(" - at `")
    field = where + field.rpartition("`$")[2].rstrip("`").removeprefix("$")
    unknown = _UNKNOWN.fullmatch(reason)
    if unknown is not None:
        return mistake(path, f"{field}.{unknown.group(1)}", "there is no such field")
    missing = _MISSING.fullmatch(reason)
    if missing is not None:
        return mistake(path, f"{field}.{missing.group(1)}", "is missing")
    return mistake(path, field, reason)


_UNKNOWN: Final = re.compile("Object contains unknown field `(.+)`")
_MISSING: Final = re.compile("Object missing required field `(.+)`")


def mistake(path: Path, field: str, reason: str) -> Misconfigured:
    """The error that names file, line and field.

    Args:
        field: Such as ``$.systems[0].policy.attempts``.
    """
    node = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    line = line_of(node, field)
    return Misconfigured(
        f"{path}:{line}: {field.removeprefix('$.')}: {reason}", code="config_invalid"
    )


def line_of(node: yaml.Node | None, field: str) -> int:
    """The line of a field such as ``$.systems[0].policy.attempts``, or of its nearest parent."""
    line = 1
    for part in field.replace("[", ".[").split(".")[1:]:
        found = _child(node, part)
        if found is None:
            break
        line, node = found
    return line


def _child(node: yaml.Node | None, part: str) -> tuple[int, yaml.Node] | None:
    """Line and node of a part: the line of its name, or of its entry in a list."""
    index = part.strip("[]")
    if isinstance(node, yaml.SequenceNode) and index.isdigit():
        for item in node.value[int(index) :]:
            return item.start_mark.line + 1, item
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == part:
                return key.start_mark.line + 1, value
    return None
