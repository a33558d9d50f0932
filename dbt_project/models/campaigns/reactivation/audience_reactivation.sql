with stages as (
    select * from {{ ref('fct_lifecycle_stages') }}
),

orders as (
    select * from {{ ref('fct_orders') }}
),

contacts as (
    select * from {{ ref('dim_contacts') }}
),

silent_contacts as (
    select contact_id, entered_at
    from stages
    where
        axis = 'customer'
        and stage = 'at_risk'
        and left_at is null
        and entered_at < {{ as_of() }}
),

-- The silence is named after the order that it follows. That order stays the same when it is refunded later.
ranked_orders as (
    select
        silent_contacts.contact_id,
        silent_contacts.entered_at,
        orders.order_id,
        orders.ordered_at,
        orders.order_date,
        orders.gross_amount,
        orders.currency,
        row_number() over (
            partition by silent_contacts.contact_id
            order by orders.ordered_at desc, orders.order_id desc
        ) as recency
    from silent_contacts
    inner join orders
        on
            silent_contacts.contact_id = orders.contact_id
            and orders.is_purchase_when_placed
            and orders.ordered_at <= silent_contacts.entered_at
),

audience as (
    select
        ranked_orders.contact_id,
        ranked_orders.order_id as occurrence_key,
        ranked_orders.entered_at as occurred_at,
        contacts.first_name,
        coalesce(contacts.locale, '{{ var("default_locale") }}') as locale,
        ranked_orders.order_date as last_order_date,
        ranked_orders.gross_amount as last_order_amount,
        ranked_orders.currency,
        cast(floor({{ days_between('ranked_orders.ordered_at', as_of()) }}) as integer) as silent_days
    from ranked_orders
    inner join contacts on ranked_orders.contact_id = contacts.contact_id
    where
        ranked_orders.recency = 1
        and not contacts.is_archived
        -- Who ordered a moment ago and sent it back is in touch with us, whatever the stage says.
        and ranked_orders.ordered_at <= {{ dbt.dateadd('day', -var('shortest_interval_days'), as_of()) }}
)

select * from audience
