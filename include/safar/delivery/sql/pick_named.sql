-- The same for messages that this dispatcher keeps for itself after a call was refused as a whole.
with kept as materialized (
    select message_id, contact_id
    from ledger.message
    where message_id = any(%(message_ids)s::uuid[]) and is_planned and claimed_by = %(kept_by)s
    for update skip locked
),

picked as (
    select message_id
    from kept
    where pg_try_advisory_xact_lock(hashtextextended(contact_id, 7265))
)

insert into ledger.claim (claim_id, lease_until, message_ids)
select %(claim_id)s, clock_timestamp() + %(lease)s, array_agg(message_id)
from picked
having count(*) > 0
returning claim_id
