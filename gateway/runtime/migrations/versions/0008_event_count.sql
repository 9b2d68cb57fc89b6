-- How many events were told of a thing that is a part of another one's row: of a payment's refunds
-- and disputes, for example. Things with a row of their own are counted there.
create table headrace.event_count (
    tenant       text    not null,
    aggregate    text    not null,
    aggregate_id text    not null,
    events       integer not null,
    primary key (tenant, aggregate, aggregate_id)
);

insert into headrace.event_count
select tenant, aggregate, aggregate_id, max(sequence) from headrace.outbox
where aggregate in ('refund', 'dispute') group by 1, 2, 3;
