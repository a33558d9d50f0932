with permission_changes as (
    select * from {{ ref('int_permission_changes') }}
),

permission_events as (
    select * from {{ ref('stg_ledger__permission_events') }}
),

provider_events as (
    select * from {{ ref('stg_ledger__provider_events') }}
),

messages as (
    select * from {{ ref('stg_ledger__messages') }}
),

contact_records as (
    select * from {{ ref('int_contact_records') }}
),

orders as (
    select * from {{ ref('fct_orders') }}
),

-- What the vendors say tonight and what was said before, also to us; the same statement may be in both.
statements as (
    select contact_id, state, occurred_at
    from permission_changes
    where
        channel = 'email'
        and topic in ('marketing', 'all')
        and contact_id is not null
        and state <> 'pending'
        and not coalesce(is_implied, false)
    union
    select contact_records.contact_id, permission_events.state, permission_events.occurred_at
    from permission_events
    inner join contact_records on permission_events.contact_id = contact_records.alias_id
    where
        permission_events.channel = 'email'
        and permission_events.topic in ('marketing', 'all')
        and permission_events.state <> 'pending'
        and not coalesce(permission_events.is_implied, false)
),

-- Whoever says yes, buys, opens or clicks is there; a mail program that opens by itself is nobody.
signs_of_life as (
    select contact_id, ordered_at as occurred_at
    from orders
    where is_purchase_when_placed and contact_id is not null
    union all
    select contact_records.contact_id, provider_events.occurred_at
    from provider_events
    inner join messages on provider_events.message_id = messages.message_id
    inner join contact_records on messages.contact_id = contact_records.alias_id
    where provider_events.event_type in ('open', 'click') and not provider_events.is_machine_open
),

moments as (
    select
        contact_id, state, occurred_at,
        case state when 'granted' then 1 else 2 end as precedence
    from statements
    where occurred_at < {{ as_of() }}
    union all
    select contact_id, null as state, occurred_at, 3 as precedence
    from signs_of_life
    where occurred_at < {{ as_of() }}
),

-- Of two statements made in the same instant the withdrawal counts.
numbered as (
    select
        *,
        count(state) over (
            partition by contact_id
            order by occurred_at, precedence
            rows unbounded preceding
        ) as statement_number,
        coalesce(
            lead(occurred_at) over (partition by contact_id order by occurred_at, precedence), {{ as_of() }}
        ) as next_at
    from moments
),

permitted as (
    select
        contact_id,
        max(state) over (partition by contact_id, statement_number) as permission,
        occurred_at,
        {{ days_after('occurred_at', var('subscriber_inactive_after_days')) }} as falls_silent_at,
        next_at
    from numbered
    where statement_number > 0
),

periods as (
    select contact_id, 'unsubscribed' as stage, occurred_at as starts_at, next_at as ends_at
    from permitted
    where permission = 'revoked'
    union all
    select contact_id, 'active' as stage, occurred_at as starts_at, least(falls_silent_at, next_at) as ends_at
    from permitted
    where permission = 'granted'
    union all
    select contact_id, 'inactive' as stage, falls_silent_at as starts_at, next_at as ends_at
    from permitted
    where permission = 'granted'
),

subscriber_stages as (
    select *
    from periods
    where starts_at < ends_at
)

select * from subscriber_stages
