-- Opens a claim on due messages of one group, at most one per person and per address, with both the rows and
-- the people locked. The last look is a statement of its own: its snapshot begins after the person's lock was got,
-- so it sees what the former holder of that lock has claimed. Two names of one person are one lock.
with due as materialized (
    select message_id, contact_id, address_hash, due_at
    from ledger.message
    where
        is_planned
        and channel = %(channel)s
        and campaign = %(campaign)s
        and step = %(step)s
        and template = %(template)s
        and locale = %(locale)s
        and class = %(class)s
        and due_at <= %(now)s
        and (%(run_id)s::text is null or run_id = %(run_id)s)
        and (lease_until is null or lease_until <= now())
    order by due_at, message_id
    limit %(limit)s
    for update skip locked
),

named as (
    select due.*, coalesce(alias.contact_id, due.contact_id) as person_id
    from due
    left join ledger.contact_alias as alias on due.contact_id = alias.alias_id and alias.until_sequence is null
),

one_per_person as (
    select distinct on (person_id) *
    from named
    order by person_id, due_at, message_id
),

one_per_address as materialized (
    select distinct on (address_hash) *
    from one_per_person
    order by address_hash, due_at, message_id
),

picked as (
    select message_id
    from one_per_address
    where pg_try_advisory_xact_lock(hashtextextended(person_id, 7265))
)

insert into ledger.claim (claim_id, lease_until, message_ids)
select %(claim_id)s, clock_timestamp() + %(lease)s, array_agg(message_id)
from picked
having count(*) > 0
returning claim_id
