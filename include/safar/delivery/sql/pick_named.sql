-- The same for messages that this dispatcher keeps for itself after a call was refused as a whole.
with kept as materialized (
    select message_id, contact_id
    from ledger.message
    where message_id = any(%(message_ids)s::uuid[]) and is_planned and claimed_by = %(kept_by)s
    for update skip locked
)

select message_id
from kept
where pg_try_advisory_xact_lock(hashtextextended(contact_id, 7265))
