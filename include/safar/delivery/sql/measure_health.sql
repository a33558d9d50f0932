-- The latest messages of a provider account since a person last closed the breaker, and what came of them. Wall time
-- orders everything: business time may stand still.
with resumed as (
    select coalesce(max(lifted_at), '-infinity') as lifted_at
    from ledger.stop
    where channel = %(channel)s and created_by = 'circuit breaker'
),

recent as materialized (
    select *
    from ledger.provider_call
    where
        channel = %(channel)s
        and provider = %(provider)s
        and accepted_count + failed_count > 0
        and recorded_at > (select lifted_at from resumed)
    order by call_id desc
    limit %(last_messages)s
),

counted as (
    select
        *,
        sum(accepted_count + failed_count) over (order by call_id desc) - accepted_count - failed_count as later_count
    from recent
),

span as materialized (
    select
        coalesce(sum(accepted_count), 0)::bigint as accepted_count,
        coalesce(sum(failed_count), 0)::bigint as failed_count,
        min(recorded_at) as began_at
    from counted
    where later_count < %(last_messages)s
),

harm as (
    select
        case
            when event.event_type = 'spamreport' then 'complaint'
            when event.event_type = 'bounce' and coalesce(event.payload ->> 'type', 'bounce') = 'bounce' then 'bounced'
            else 'refused'
        end as kind,
        event.message_id
    from span
    join ledger.provider_event as event
        -- An event may overtake the record of the call that caused it.
        on event.event_type in ('bounce', 'dropped', 'spamreport') and event.recorded_at >= span.began_at - interval '1 hour'
    join ledger.message as message on event.message_id = message.message_id
    where
        message.channel = %(channel)s
        and message.provider = %(provider)s
        and message.state = 'accepted'
        and message.state_at >= span.began_at
)

select
    (select accepted_count from span),
    (select failed_count from span),
    count(distinct message_id) filter (where kind = 'refused'),
    count(distinct message_id) filter (where kind = 'bounced'),
    count(distinct message_id) filter (where kind = 'complaint')
from harm
