-- The last look: everything that forbids a message, as committed now, decides about each row in the same
-- statement that claims it. Only the ledger is read. A switch (a stop that names no person and no
-- occurrence) leaves rows planned, so that lifting it lets them go on until they expire.
with look as materialized (
    select
        message.message_id,
        case
            when message.expires_at <= %(now)s then 'expired'
            when exists (
                select from ledger.stop
                where
                    stop.lifted_at is null
                    and (stop.contact_id is not null or stop.occurrence_key is not null)
                    and coalesce(stop.contact_id, message.contact_id) = message.contact_id
                    and coalesce(stop.occurrence_key, message.occurrence_key) = message.occurrence_key
                    and coalesce(stop.campaign, message.campaign) = message.campaign
                    and coalesce(stop.step, message.step) = message.step
                    and coalesce(stop.channel, message.channel) = message.channel
            ) then 'stopped'
            when exists (
                select from ledger.suppression
                where suppression.address_hash = message.address_hash and suppression.channel = message.channel
            ) then 'suppressed'
            when message.class = 'marketing' and coalesce((
                select event.state
                from ledger.permission_event as event
                where
                    event.address_hash = message.address_hash
                    and event.channel = message.channel
                    and event.topic in (message.topic, 'all')
                order by event.occurred_at desc, event.state = 'revoked' desc
                limit 1
            ), 'revoked') <> 'granted' then 'opted_out'
            when exists (
                select from ledger.goal_seen
                where
                    goal_seen.campaign = message.campaign
                    and goal_seen.contact_id = message.contact_id
                    and goal_seen.goal_at > message.entry_occurred_at
            ) then 'goal_reached'
            when %(next_open)s::timestamptz > %(now)s and %(next_open)s::timestamptz >= message.expires_at then 'expired'
            when %(next_open)s::timestamptz > %(now)s then 'quiet'
            when exists (
                select from unnest(%(cap_messages)s::int[], %(cap_since)s::timestamptz[]) as cap (messages, since)
                where (
                    select count(*)
                    from ledger.message as earlier
                    where
                        earlier.contact_id = message.contact_id
                        and earlier.channel = message.channel
                        and earlier.class = message.class
                        and earlier.claimed_at > cap.since
                        and earlier.state in ('claimed', 'attempting', 'accepted', 'unknown', 'presumed_lost')
                ) >= cap.messages
            ) then 'capped'
            else 'clear'
        end as verdict
    from ledger.message
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
)

update ledger.message as message
set
    state = case look.verdict
        when 'clear' then 'claimed'
        when 'quiet' then 'planned'
        when 'expired' then 'expired'
        else 'cancelled'
    end,
    reason = case when look.verdict not in ('clear', 'quiet', 'expired') then look.verdict end,
    due_at = case look.verdict when 'quiet' then %(next_open)s else message.due_at end,
    claimed_at = case look.verdict when 'clear' then %(now)s::timestamptz end,
    claimed_by = case look.verdict when 'clear' then %(claim_id)s end,
    lease_until = null,
    state_at = clock_timestamp()
from look
where message.message_id = look.message_id
returning
    message.message_id,
    look.verdict,
    case look.verdict when 'clear' then message.address end as address,
    case look.verdict when 'clear' then message.fields end as fields
