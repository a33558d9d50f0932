-- What becomes of each decision of one run, in the temporary table `judged`; the first reason that applies.
-- Planners are serialised by the advisory lock, so what is not there now will not be there at the insert.
create temporary table judged on commit drop as
with opened as (
    select
        decision.*,
        coalesce(quiet.ends_at, decision.due_at) as open_at,
        address.address,
        address.address_hash,
        address.address_key_id
    from decision
    left join ledger.address as address
        on decision.contact_id = address.contact_id
        and decision.channel = address.channel
        and decision.run_sequence >= address.from_sequence
        and decision.run_sequence < coalesce(address.until_sequence, 9223372036854775807)
        and address.is_valid
        and address.address is not null
    left join recipient_zone on address.time_zone = recipient_zone.name
    left join quiet
        on decision.class = 'marketing'
        and coalesce(recipient_zone.name, %(time_zone)s) = quiet.time_zone
        and greatest(decision.due_at, %(now)s) >= quiet.starts_at
        and greatest(decision.due_at, %(now)s) < quiet.ends_at
),

ranked as (
    select
        *,
        row_number() over (
            partition by step, occurrence_key, channel, address_hash
            order by priority desc, contact_id
        ) as address_rank
    from opened
),

stopped_step as (
    select step.step, step.channel
    from (select distinct step, channel from decision) as step
    where exists (
        select from ledger.stop
        where
            stop.lifted_at is null
            and stop.contact_id is null
            and stop.occurrence_key is null
            and coalesce(stop.campaign, %(campaign)s) = %(campaign)s
            and coalesce(stop.step, step.step) = step.step
            and coalesce(stop.channel, step.channel) = step.channel
    )
),

-- Mails that left before an older ledger was restored (see the comment on ledger.sent_elsewhere).
forgotten as (
    select step, channel, address_hash, max(reconciled_at) as reconciled_at
    from ledger.sent_elsewhere
    where campaign = %(campaign)s
    group by step, channel, address_hash
)

select
    ranked.*,
    -- The first message of an action has its id (ledger.message_action). One id is drawn and its last 48 bits count the
    -- rows: drawing a million takes seconds. They are counted in the order of the people, and rows are written in it, so
    -- that what a claim takes together stands together in the indexes of people, too.
    overlay(
        (select ledger.new_id())::text placing lpad(to_hex(row_number() over (order by ranked.contact_id)), 12, '0')
        from 25
    )::uuid as action_id,
    case
        when %(is_refused)s then 'not_approved'
        when %(is_blocked)s or stopped_step.step is not null or ranked.address_hash is null then 'blocked'
        when planned.action_id is not null then 'already_planned'
        when
            ranked.entry_occurred_at <= forgotten.reconciled_at
            or ranked.occurrence_key = 'once' and forgotten.reconciled_at is not null then 'already_planned'
        when ranked.expires_at <= %(now)s or ranked.open_at >= ranked.expires_at then 'expired'
        when ranked.address_rank > 1 or taken.message_id is not null then 'same_address'
        else 'planned'
    end as result,
    planned.action_id as former_action_id
from ranked
left join stopped_step using (step, channel)
left join forgotten using (step, channel, address_hash)
left join ledger.action as planned
    on planned.campaign = %(campaign)s
    and ranked.step = planned.step
    and ranked.occurrence_key = planned.occurrence_key
    and ranked.contact_id = planned.contact_id
left join ledger.message as taken
    on taken.campaign = %(campaign)s
    and ranked.step = taken.step
    and ranked.occurrence_key = taken.occurrence_key
    and ranked.channel = taken.channel
    and ranked.address_hash = taken.address_hash
