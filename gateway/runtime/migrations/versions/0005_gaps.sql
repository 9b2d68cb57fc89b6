-- Whether the row was found in the provider's list, because no webhook had brought it.
alter table headrace.inbox add column filled boolean not null default false;

-- How far a system's list was compared: all up to "since"; a comparison under way goes up to
-- "until" and stands at "cursor".
create table headrace.comparison (
    tenant     text        not null,
    system     text        not null,
    since      timestamptz not null,
    until      timestamptz,
    cursor     text        not null default '',
    holder     text        not null default '',
    held_until timestamptz not null default '-infinity',
    due_at     timestamptz not null default now(),
    failed     text        not null default '',
    primary key (tenant, system)
);
