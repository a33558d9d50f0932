-- Batches whose dispatcher died: claimed messages never left and are planned again, attempting ones are unknown.
with lost_claim as (
    delete from ledger.claim
    where claim_id in (
        select claim_id from ledger.claim where lease_until < clock_timestamp() for update skip locked
    )
    returning claim_id, message_ids
),

lost as (
    select message.message_id, message.state
    from lost_claim
    cross join lateral unnest(lost_claim.message_ids) as in_claim (message_id)
    join ledger.message as message
        on in_claim.message_id = message.message_id and lost_claim.claim_id = message.claimed_by
    where message.state in ('claimed', 'attempting')
),

settled as (
    update ledger.message as message
    set
        state = case lost.state when 'claimed' then 'planned' else 'unknown' end,
        reason = 'lease over',
        claimed_at = case lost.state when 'claimed' then null else message.claimed_at end,
        state_at = clock_timestamp()
    from lost
    where message.message_id = lost.message_id and message.state = lost.state
    returning lost.state
)

select
    count(*) filter (where state = 'claimed') as released_count,
    count(*) filter (where state = 'attempting') as unknown_count
from settled
