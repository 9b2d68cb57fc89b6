-- The journal of the hub. Source of truth is here; the flow engine keeps its own schema (absurd).

create schema headrace;

select absurd.create_queue('interactive');
select absurd.create_queue('webhook');
select absurd.create_queue('batch');

-- Things of the model, one row each; sequence counts the events of a thing without gaps.
create table headrace.document (
    tenant     text        not null,
    kind       text        not null,
    id         text        not null,
    state      text        not null,
    body       jsonb       not null,
    sequence   integer     not null default 0,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (tenant, kind, id)
) with (fillfactor = 80);
create index document_by_day on headrace.document (tenant, kind, created_at, id);

-- What other systems call our things.
create table headrace.reference (
    tenant      text        not null,
    entity      text        not null,
    entity_id   text        not null,
    system      text        not null,
    external_id text        not null,
    synced_at   timestamptz not null default now(),
    primary key (tenant, entity, entity_id, system)
);
create index reference_by_external on headrace.reference (tenant, system, external_id);

-- One row per flow, for people and for deciding what a resumed step may do.
create table headrace.flow (
    flow_id     text        primary key,
    tenant      text        not null,
    kind        text        not null,
    business_id text        not null,
    queue       text        not null,
    task_id     uuid        not null,
    state       text        not null,
    step        text        not null default '',
    reason      text        not null default '',
    code        text        not null default '',
    message     text        not null default '',
    pauses      integer     not null default 0,
    paused_at   timestamptz,
    resume_at   timestamptz,
    traceparent text        not null,
    started_at  timestamptz not null default now(),
    ended_at    timestamptz,
    traced      boolean     not null default false,
    unique (tenant, kind, business_id)
) with (fillfactor = 80);
create index flow_by_task on headrace.flow (task_id);
create index flow_untraced on headrace.flow (ended_at) where not traced and ended_at is not null;
create index flow_parked on headrace.flow (tenant, reason, paused_at) where state = 'PARKED';

-- What operators decided; a step reads it before it calls.
create table headrace.decision (
    decision_id text        primary key,
    flow_id     text        not null references headrace.flow,
    step        text        not null,
    action      text        not null,
    payload     jsonb,
    actor       text        not null,
    reason      text        not null,
    decided_at  timestamptz not null default now()
);
create index decision_by_flow on headrace.decision (flow_id, decided_at);

-- Whose turn it is, where two flows must not make the same thing in another system.
create table headrace.turn (
    tenant text        not null,
    name   text        not null,
    holder text        not null,
    until  timestamptz not null,
    primary key (tenant, name)
);

-- Webhooks as received, before anything else.
create table headrace.inbox (
    seq         bigint      generated always as identity primary key,
    tenant      text        not null,
    system      text        not null,
    dedupe_key  text        not null,
    body        bytea       not null,
    traceparent text        not null,
    received_at timestamptz not null default now(),
    state       text        not null default 'NEW',
    reason      text        not null default '',
    event_type  text        not null default '',
    business_id text        not null default '',
    tries       integer     not null default 0,
    due_at      timestamptz not null default now(),
    applied_at  timestamptz,
    unique (tenant, system, dedupe_key)
);
create index inbox_new on headrace.inbox (due_at, seq) where state = 'NEW';
create index inbox_done on headrace.inbox (applied_at) where state in ('APPLIED', 'IGNORED');
create index inbox_by_business on headrace.inbox (tenant, business_id) where business_id <> '';

-- Our own events, in the transaction of the change they report.
create table headrace.outbox (
    seq          bigint      generated always as identity primary key,
    tenant       text        not null,
    event_id     text        not null,
    type         text        not null,
    aggregate    text        not null,
    aggregate_id text        not null,
    sequence     integer     not null,
    business_id  text        not null,
    data         jsonb       not null,
    traceparent  text        not null,
    causation_id text        not null,
    occurred_at  timestamptz not null default now(),
    unique (tenant, aggregate, aggregate_id, sequence)
);
create index outbox_by_business on headrace.outbox (tenant, business_id, seq);

-- Every attempt at every call, redacted.
create table headrace.evidence (
    evidence_id text             primary key,
    tenant      text             not null,
    system      text             not null,
    product     text             not null,
    verb        text             not null,
    business_id text             not null,
    step        text             not null,
    key         text             not null,
    attempt     integer          not null,
    at          timestamptz      not null,
    duration_ms double precision not null,
    outcome     text             not null,
    status      integer          not null,
    request     text             not null,
    response    text             not null,
    error       text             not null,
    trace_id    text             not null,
    span_id     text             not null
);
create index evidence_by_business on headrace.evidence (tenant, business_id, at);

-- Answers that were given under an Idempotency-Key.
create table headrace.idempotency (
    tenant       text        not null,
    client       text        not null,
    operation    text        not null,
    key          text        not null,
    fingerprint  bytea       not null,
    business_id  text        not null,
    status       integer,
    headers      jsonb,
    body         bytea,
    locked_until timestamptz not null,
    expires_at   timestamptz not null,
    primary key (tenant, client, operation, key)
);
create index idempotency_expired on headrace.idempotency (expires_at);

-- Spans, so that a trace can be read without any other software.
create table headrace.span (
    trace_id   text             not null,
    span_id    text             not null,
    parent_id  text             not null,
    name       text             not null,
    kind       text             not null,
    process    text             not null,
    started_at timestamptz      not null,
    ended_at   timestamptz      not null,
    status     text             not null,
    attributes jsonb            not null,
    links      jsonb            not null,
    primary key (trace_id, span_id)
);
create index span_by_age on headrace.span (ended_at);

-- Export runs and the parts they have finished.
create table headrace.export_run (
    tenant     text        not null,
    profile    text        not null,
    day        date        not null,
    state      text        not null,
    cutoff     timestamptz not null,
    manifest   jsonb,
    started_at timestamptz not null default now(),
    ended_at   timestamptz,
    primary key (tenant, profile, day)
);
create table headrace.export_part (
    tenant  text    not null,
    profile text    not null,
    day     date    not null,
    part    integer not null,
    entry   jsonb   not null,
    primary key (tenant, profile, day, part)
);
