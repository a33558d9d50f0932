-- What is due and did not leave, by the reason why. Groups are few, however many messages wait.
with due as materialized (
    select campaign, step, coalesce(lease_until > now(), false) as is_put_off, count(*) as message_count
    from ledger.message
    where
        is_planned
        and channel = %(channel)s
        and due_at <= %(now)s
        and (%(campaign)s::text is null or campaign = %(campaign)s)
        and (%(run_id)s::text is null or run_id = %(run_id)s)
    group by 1, 2, 3
),

explained as (
    select
        message_count,
        case
            when exists (
                select from ledger.stop
                where
                    stop.lifted_at is null
                    and stop.contact_id is null
                    and stop.occurrence_key is null
                    and coalesce(stop.campaign, due.campaign) = due.campaign
                    and coalesce(stop.step, due.step) = due.step
                    and coalesce(stop.channel, %(channel)s) = %(channel)s
            ) then 'paused'
            when due.is_put_off then 'put off'
            when %(is_stopped)s then 'stopped early'
            when %(is_live)s and not exists (
                select from ledger.first_live
                where
                    first_live.campaign = due.campaign
                    and first_live.channel = %(channel)s
                    and first_live.approved_at is not null
            ) then 'held'
            else 'in other hands'
        end as why
    from due
),

claimed as (
    select count(*) as message_count, 'in other hands' as why
    from ledger.claim
    cross join lateral unnest(claim.message_ids) as in_claim (message_id)
    join ledger.message as message on in_claim.message_id = message.message_id and claim.claim_id = message.claimed_by
    where
        message.state in ('claimed', 'attempting')
        and message.channel = %(channel)s
        and (%(campaign)s::text is null or message.campaign = %(campaign)s)
        and (%(run_id)s::text is null or message.run_id = %(run_id)s)
)

select why, sum(message_count)::bigint
from (select why, message_count from explained union all select why, message_count from claimed) as left_over
group by why
having sum(message_count) > 0
