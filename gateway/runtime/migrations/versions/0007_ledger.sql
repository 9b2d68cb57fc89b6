-- Whose the money at providers is. Entries are only ever added; a wrong one is followed by another.
create table headrace.ledger_entry (
    entry_id  bigint      generated always as identity primary key,
    tenant    text        not null,
    kind      text        not null,
    id        text        not null,
    booked_at timestamptz not null default now()
);
-- What was booked for a thing so far.
create index ledger_entry_of on headrace.ledger_entry (tenant, kind, id);

create table headrace.ledger_posting (
    entry_id bigint not null references headrace.ledger_entry,
    tenant   text   not null,
    owner    text   not null,
    name     text   not null,
    bucket   text   not null,
    currency text   not null,
    minor    bigint not null check (minor <> 0),
    primary key (entry_id, owner, name, bucket, currency)
);
-- What an account has, without looking at the table.
create index ledger_posting_of on headrace.ledger_posting
    (tenant, owner, name, entry_id) include (bucket, currency, minor);

-- Payments whose parts are not available yet, by the day on which they are.
create table headrace.ledger_hold (
    tenant      text not null,
    payment_id  text not null,
    releases_on date not null,
    primary key (tenant, payment_id)
);
create index ledger_hold_due on headrace.ledger_hold (releases_on);

create function headrace.ledger_sums_to_zero() returns trigger language plpgsql as $$
begin
    if exists (
        select from headrace.ledger_posting where entry_id = new.entry_id
        group by currency having sum(minor) <> 0
    ) then
        raise exception 'ledger entry % does not sum to zero', new.entry_id
            using errcode = 'check_violation';
    end if;
    return null;
end $$;
create constraint trigger sums_to_zero after insert on headrace.ledger_posting
    deferrable initially deferred for each row execute function headrace.ledger_sums_to_zero();

create function headrace.ledger_stays() returns trigger language plpgsql as $$
begin
    raise exception 'the ledger is only added to' using errcode = 'restrict_violation';
end $$;
create trigger stays before update or delete on headrace.ledger_entry
    for each row execute function headrace.ledger_stays();
create trigger stays before update or delete on headrace.ledger_posting
    for each row execute function headrace.ledger_stays();
