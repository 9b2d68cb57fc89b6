-- All that the mappings of a tenant are made of, one row a change: flows keep those they began with.
create table headrace.mapping_set (
    tenant       text        not null,
    identity     text        not null,
    content      bytea,                                 -- null where it was withdrawn unseen
    recorded_at  timestamptz not null default now(),
    seen_at      timestamptz not null default now(),    -- a process had it as its own
    withdrawn_at timestamptz,
    withdrawn_by text        not null default '',
    reason       text        not null default '',
    primary key (tenant, identity)
);

alter table headrace.flow add column mapping_set text not null default '';
create index flow_by_mapping_set on headrace.flow (tenant, mapping_set) where ended_at is null;
