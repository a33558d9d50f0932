-- The last look: everything that forbids a message, as committed now, decides about each row in the same
-- statement that claims it. Only the ledger is read. A switch (a stop that names no person and no
-- occurrence) leaves rows planned, so that lifting it lets them go on until they expire.
-- A campaign that nobody has approved reaches only so many real people; who is beyond stays planned.
with first_live as materialized (
    select %(first_live_messages)s::int - count(message.message_id) as free_count
    from ledger.first_live_message as place
    join ledger.message on place.message_id = message.message_id and message.state not in ('cancelled', 'expired')
    where place.campaign = %(campaign)s and place.channel = %(channel)s
    having
        %(is_live)s
        and not exists (
            select from ledger.first_live
            where
                first_live.campaign = %(campaign)s
                and first_live.channel = %(channel)s
                and first_live.approved_at is not null
        )
),

look as materialized (
    select
        message.message_id,
        case
            when message.expires_at <= %(now)s then 'expired'
            when exists (
                select from ledger.stop
                where
                    stop.lifted_at is null
                    and (stop.contact_id is not null or stop.occurrence_key is not null)
                    and (stop.contact_id is null or stop.contact_id = any(person.names))
                    and coalesce(stop.occurrence_key, message.occurrence_key) = message.occurrence_key
                    and coalesce(stop.campaign, message.campaign) = message.campaign
                    and coalesce(stop.step, message.step) = message.step
                    and coalesce(stop.channel, message.channel) = message.channel
            ) then 'stopped'
            when exists (
                select from ledger.suppression_in_force as suppression
                where suppression.address_hash = message.address_hash and suppression.channel = message.channel
            ) then 'suppressed'
            when message.class = 'marketing' and coalesce((
                select event.state
                from ledger.permission_event as event
                where
                    event.address_hash = message.address_hash
                    and event.channel = message.channel
                    and event.topic in (message.topic, 'all')
                    and event.state <> 'pending'
                order by event.occurred_at desc, event.state = 'revoked' desc
                limit 1
            ), 'revoked') <> 'granted' then 'opted_out'
            when exists (
                select from ledger.goal_seen
                where
                    goal_seen.campaign = message.campaign
                    and goal_seen.contact_id = any(person.names)
                    and goal_seen.goal_at > message.entry_occurred_at
            ) then 'goal_reached'
            when person.opens_at >= message.expires_at then 'expired'
            when person.opens_at > %(now)s then 'quiet'
            when {{ is_capped }} then 'capped'
            else 'clear'
        end as verdict,
        person.opens_at
    from ledger.message
    -- Who it is for by now, and when their night is over; null while their day lasts.
    cross join lateral (
        select
            who.person_id,
            -- Every name under which somebody may have written down what holds for this person.
            array(
                select alias.alias_id
                from ledger.contact_alias as alias
                where alias.contact_id = who.person_id and alias.until_sequence is null
            ) || who.person_id || message.contact_id as names,
            cast(
                case
                    when %(opening)s::jsonb ? address.time_zone then %(opening)s::jsonb ->> address.time_zone
                    else %(opening)s::jsonb ->> %(time_zone)s
                end as timestamptz
            ) as opens_at
        from (
            select coalesce((
                select alias.contact_id
                from ledger.contact_alias as alias
                where alias.alias_id = message.contact_id and alias.until_sequence is null
            ), message.contact_id) as person_id
        ) as who
        left join ledger.address
            on
                who.person_id = address.contact_id
                and message.channel = address.channel
                and address.until_sequence is null
    ) as person
    where
        message.message_id = any((select message_ids from ledger.claim where claim_id = %(claim_id)s)::uuid[])
        and message.is_planned
        and not exists (
            select from ledger.stop
            where
                stop.lifted_at is null
                and stop.contact_id is null
                and stop.occurrence_key is null
                and coalesce(stop.campaign, %(campaign)s) = %(campaign)s
                and coalesce(stop.step, %(step)s) = %(step)s
                and coalesce(stop.channel, %(channel)s) = %(channel)s
        )
),

placed as materialized (
    select
        look.message_id,
        look.verdict,
        look.opens_at,
        first_live.free_count,
        first_live.free_count is not null and look.verdict = 'clear' and place.message_id is null as needs_place
    from look
    left join first_live on true
    left join ledger.first_live_message as place on first_live.free_count is not null and look.message_id = place.message_id
),

ruled as materialized (
    select
        message_id,
        opens_at,
        needs_place,
        case
            when needs_place and row_number() over (partition by needs_place order by message_id) > free_count then 'held'
            else verdict
        end as verdict
    from placed
),

given_place as (
    insert into ledger.first_live_message (message_id, campaign, channel)
    select message_id, %(campaign)s, %(channel)s
    from ruled
    where needs_place and verdict = 'clear'
)

update ledger.message as message
set
    state = case ruled.verdict
        when 'clear' then 'claimed'
        when 'quiet' then 'planned'
        when 'expired' then 'expired'
        else 'cancelled'
    end,
    reason = case when ruled.verdict not in ('clear', 'quiet', 'expired') then ruled.verdict end,
    due_at = case ruled.verdict when 'quiet' then ruled.opens_at else message.due_at end,
    claimed_at = case ruled.verdict when 'clear' then %(now)s::timestamptz end,
    claimed_by = case ruled.verdict when 'clear' then %(claim_id)s end,
    lease_until = null,
    state_at = clock_timestamp()
from ruled
where message.message_id = ruled.message_id and ruled.verdict <> 'held'
returning
    message.message_id,
    ruled.verdict,
    case ruled.verdict when 'clear' then message.address end as address,
    case ruled.verdict when 'clear' then message.fields end as fields
