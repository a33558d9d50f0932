-- The same for messages that this dispatcher keeps for itself after a call was refused as a whole.
with kept as materialized (
    select message_id, contact_id
    from ledger.message
    where message_id = any(%(message_ids)s::uuid[]) and is_planned and claimed_by = %(kept_by)s
    for update skip locked
),

named as materialized (
    select kept.message_id, coalesce(alias.contact_id, kept.contact_id) as person_id
    from kept
    left join ledger.contact_alias as alias on kept.contact_id = alias.alias_id and alias.until_sequence is null
),

picked as (
    select message_id
    from named
    where pg_try_advisory_xact_lock(hashtextextended(person_id, 7265))
)

insert into ledger.claim (claim_id, lease_until, message_ids)
select %(claim_id)s, clock_timestamp() + %(lease)s, array_agg(message_id)
from picked
having count(*) > 0
returning claim_id
