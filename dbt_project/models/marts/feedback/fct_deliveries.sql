with messages as (
    select * from {{ ref('stg_ledger__messages') }}
    where planned_at < {{ as_of() }}
),

events as (
    select * from {{ ref('stg_ledger__provider_events') }}
    where occurred_at < {{ as_of() }}
),

withdrawals as (
    select * from {{ ref('stg_ledger__permission_events') }}
    where
        occurred_at < {{ as_of() }}
        and state = 'revoked'
        and message_id is not null
),

message_events as (
    select
        message_id,
        min(case when event_type = 'delivered' then occurred_at end) as delivered_at,
        min(case when event_type = 'open' and not is_machine_open then occurred_at end) as opened_at,
        min(case when event_type = 'click' and not is_unsubscribe_click then occurred_at end) as clicked_at,
        min(case when event_type = 'bounce' then occurred_at end) as bounced_at,
        min(case when event_type = 'dropped' then occurred_at end) as dropped_at,
        min(case when event_type = 'spamreport' then occurred_at end) as complained_at
    from events
    group by message_id
),

message_withdrawals as (
    select
        message_id,
        min(occurred_at) as unsubscribed_at
    from withdrawals
    group by message_id
),

deliveries as (
    select
        messages.message_id,
        messages.campaign,
        messages.step,
        messages.contact_id,
        messages.occurrence_key,
        messages.run_id,
        messages.channel,
        messages.template,
        messages.locale,
        messages.state,
        messages.reason,
        messages.planned_at,
        case when messages.accepted_at < {{ as_of() }} then messages.accepted_at end as accepted_at,
        message_events.delivered_at,
        message_events.opened_at,
        message_events.clicked_at,
        message_events.bounced_at,
        message_events.dropped_at,
        message_withdrawals.unsubscribed_at,
        message_events.complained_at
    from messages
    left join message_events on messages.message_id = message_events.message_id
    left join message_withdrawals on messages.message_id = message_withdrawals.message_id
)

select * from deliveries
