"""Export postings: the orders and charges of a day, for back-office systems.

A charge that was made on a later day than its order has a row of its own on that later day. It
names the order, but its total stays empty, so that each order and each charge is counted once
over all days. A payment of its own has a row without an order. No names, e-mail addresses or
postal addresses.
"""

from datetime import date
from pathlib import Path
from typing import Final

from gateway.runtime.database import Database
from gateway.runtime.exports import Outcome, Profile, Progress, Run, export

_COLUMNS: Final = (
    "order_id", "submitted_at", "state", "channel", "kind", "reference", "total", "currency",
    "payment_id", "payment_state", "provider", "provider_ref", "captured", "refunded",
    "sales_order", "business_partner",
)  # fmt: skip

# `offset 0` keeps the look-ups on the primary key: the planner knows nothing of what stands in a
# body, and without statistics it reads the whole day for each order.
_ROWS: Final = """
with orders as (
    select id, state, body, true as is_new from headrace.document
    where tenant = %(tenant)s and kind = 'order'
      and created_at >= %(since)s and created_at < %(until)s
    union all
    select o.id, o.state, o.body, false from headrace.document p
    cross join lateral (
        select id, state, body, created_at from headrace.document
        where tenant = %(tenant)s and kind = 'order' and id = p.body->>'order_id' offset 0
    ) o
    where p.tenant = %(tenant)s and p.kind = 'payment'
      and p.created_at >= %(since)s and p.created_at < %(until)s
      and not (o.created_at >= %(since)s and o.created_at < %(until)s)
)
select o.id as key, jsonb_build_array(
    o.id, o.body->>'submitted_at', o.state, o.body->>'channel', o.body->>'kind',
    coalesce(o.body->>'reference', ''),
    case when o.is_new then o.body->'total'->>'amount' else '' end,
    o.body->'total'->>'currency',
    coalesce(c.id, ''), coalesce(c.state, ''), coalesce(c.body->>'provider', ''),
    coalesce(c.body->>'provider_ref', ''), coalesce(c.body->'captured'->>'amount', ''),
    coalesce(c.body->'refunded'->>'amount', ''),
    (select coalesce(string_agg(r.external_id, ' ' order by r.system), '')
     from headrace.reference r where r.tenant = %(tenant)s and r.entity = 'SALES_ORDER'
       and r.entity_id = o.id),
    (select coalesce(string_agg(r.external_id, ' ' order by r.system), '')
     from headrace.reference r where r.tenant = %(tenant)s and r.entity = 'BUSINESS_PARTNER'
       and r.entity_id = o.body->'party'->>'party_id')
) as cells
from orders o left join lateral (
    select id, state, body, created_at from headrace.document
    where tenant = %(tenant)s and kind = 'payment' and id = o.body->>'payment_id' offset 0
) c on c.created_at >= %(since)s and c.created_at < %(until)s
union all
select p.id, jsonb_build_array(
    '', p.body->>'requested_at', '', '', '', coalesce(p.body->>'reference', ''), '',
    p.body->'amount'->>'currency', p.id, p.state, p.body->>'provider',
    coalesce(p.body->>'provider_ref', ''), p.body->'captured'->>'amount',
    p.body->'refunded'->>'amount', '', ''
)
from headrace.document p
where p.tenant = %(tenant)s and p.kind = 'payment' and coalesce(p.body->>'order_id', '') = ''
  and p.created_at >= %(since)s and p.created_at < %(until)s
"""

# Summed from the two kinds of documents apart, so that a join that loses or doubles is noticed.
_TOTALS: Final = """
with facts as (
    select id as order_id, body->'total'->>'currency' as currency,
        (body->'total'->>'amount')::numeric as total, 0::numeric as captured, 0::numeric as refunded
    from headrace.document
    where tenant = %(tenant)s and kind = 'order'
      and created_at >= %(since)s and created_at < %(until)s
    union all
    select coalesce(nullif(body->>'order_id', ''), id), body->'amount'->>'currency', 0,
        (body->'captured'->>'amount')::numeric, (body->'refunded'->>'amount')::numeric
    from headrace.document
    where tenant = %(tenant)s and kind = 'payment'
      and created_at >= %(since)s and created_at < %(until)s
)
select currency, count(distinct order_id), sum(total)::text, sum(captured)::text,
    sum(refunded)::text
from facts group by currency order by currency
"""

POSTINGS: Final = Profile(
    name="postings",
    columns=_COLUMNS,
    amounts=("total", "captured", "refunded"),
    rows=_ROWS,
    totals=_TOTALS,
)


async def export_postings(
    database: Database,
    *,
    tenant: str,
    day: date,
    folder: Path,
    part_rows: int,
    progress: Progress,
) -> Outcome:
    """Write the day's orders and charges as CSV parts with a manifest.

    Args:
        day: In UTC.
        progress: Told how many parts are finished, and of how many.
    """
    run = Run(
        database=database,
        profile=POSTINGS,
        tenant=tenant,
        day=day,
        folder=folder,
        part_rows=part_rows,
    )
    return await export(run, progress)
