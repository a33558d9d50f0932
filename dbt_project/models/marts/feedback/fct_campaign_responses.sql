with entries as (
    select * from {{ ref('stg_decisions__entries') }}
    where entered_at < {{ as_of() }}
),

aliases as (
    select * from {{ ref('stg_ledger__contact_aliases') }}
),

deliveries as (
    select * from {{ ref('fct_deliveries') }}
),

goals as (
    select * from {{ ref('stg_ledger__goals') }}
    where goal_at < {{ as_of() }}
),

orders as (
    select * from {{ ref('fct_orders') }}
    where
        ordered_at < {{ as_of() }}
        and is_purchase
),

-- Whoever was merged since is looked for under the id of today.
current_entries as (
    select
        entries.*,
        coalesce(aliases.contact_id, entries.contact_id) as current_contact_id,
        entries.entered_at + cast('{{ var("attribution_window") }}' as interval) as window_ends_at
    from entries
    left join aliases on entries.contact_id = aliases.alias_id
),

entry_deliveries as (
    select
        campaign,
        contact_id,
        occurrence_key,
        count(accepted_at) as sent_count,
        min(accepted_at) as sent_at,
        min(delivered_at) as delivered_at,
        min(opened_at) as opened_at,
        min(clicked_at) as clicked_at,
        min(unsubscribed_at) as unsubscribed_at,
        min(complained_at) as complained_at
    from deliveries
    group by campaign, contact_id, occurrence_key
),

entry_orders as (
    select
        entries.campaign,
        entries.contact_id,
        entries.occurrence_key,
        min(orders.ordered_at) as ordered_at,
        count(*) as orders_count,
        sum(case when orders.currency = '{{ var("currency") }}' then orders.net_amount end) as revenue_amount
    from current_entries as entries
    inner join orders
        on
            entries.current_contact_id = orders.contact_id
            and entries.entered_at <= orders.ordered_at
            and entries.window_ends_at > orders.ordered_at
    group by entries.campaign, entries.contact_id, entries.occurrence_key
),

entry_goals as (
    select
        entries.campaign,
        entries.contact_id,
        entries.occurrence_key,
        min(goals.goal_at) as goal_at
    from current_entries as entries
    inner join goals
        on
            entries.campaign = goals.campaign
            and goals.contact_id in (entries.contact_id, entries.current_contact_id)
            and entries.entered_at <= goals.goal_at
            and entries.window_ends_at > goals.goal_at
    group by entries.campaign, entries.contact_id, entries.occurrence_key
),

responses as (
    select
        entries.campaign,
        entries.contact_id,
        entries.occurrence_key,
        entries.run_id,
        entries.occurred_at,
        entries.entered_at,
        entries.assignment,
        entries.is_held_out,
        entries.window_ends_at,
        entries.window_ends_at <= {{ as_of() }} as is_window_over,
        coalesce(entry_deliveries.sent_count, 0) as sent_count,
        entry_deliveries.sent_at,
        entry_deliveries.delivered_at,
        entry_deliveries.opened_at,
        entry_deliveries.clicked_at,
        entry_deliveries.unsubscribed_at,
        entry_deliveries.complained_at,
        entry_goals.goal_at,
        entry_orders.ordered_at,
        coalesce(entry_orders.orders_count, 0) as orders_count,
        cast(coalesce(entry_orders.revenue_amount, 0) as numeric(18, 2)) as revenue_amount,
        cast('{{ var("currency") }}' as text) as currency
    from current_entries as entries
    left join entry_deliveries
        on
            entries.campaign = entry_deliveries.campaign
            and entries.contact_id = entry_deliveries.contact_id
            and entries.occurrence_key = entry_deliveries.occurrence_key
    left join entry_orders
        on
            entries.campaign = entry_orders.campaign
            and entries.contact_id = entry_orders.contact_id
            and entries.occurrence_key = entry_orders.occurrence_key
    left join entry_goals
        on
            entries.campaign = entry_goals.campaign
            and entries.contact_id = entry_goals.contact_id
            and entries.occurrence_key = entry_goals.occurrence_key
)

select * from responses
