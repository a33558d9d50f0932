with orders as (
    select * from {{ ref('fct_orders') }}
),

-- What is bought in one day counts as one purchase.
purchase_days as (
    select
        contact_id,
        order_date,
        min(ordered_at) as purchased_at,
        count(*) as orders_count,
        sum(net_amount) as net_amount
    from orders
    where is_purchase and contact_id is not null
    group by contact_id, order_date
),

numbered as (
    select
        *,
        row_number() over (partition by contact_id order by order_date) as purchase_number
    from purchase_days
),

summed as (
    select
        contact_id,
        min(order_date) as first_purchase_date,
        max(order_date) as last_purchase_date,
        min(purchased_at) as first_purchased_at,
        max(purchased_at) as last_purchased_at,
        {{ last_day_before(as_of()) }} as observed_until_date,
        sum(orders_count) as orders_count,
        count(*) as purchase_days_count,
        sum(net_amount) as net_amount,
        avg(case when purchase_number > 1 then net_amount end) as mean_repeat_amount
    from numbered
    group by contact_id
),

purchase_summaries as (
    select
        contact_id,
        first_purchase_date,
        last_purchase_date,
        first_purchased_at,
        last_purchased_at,
        observed_until_date,
        cast(orders_count as bigint) as orders_count,
        purchase_days_count,
        purchase_days_count - 1 as repeat_purchases_count,
        cast(
            {{ dates_between('first_purchase_date', 'last_purchase_date') }} / 7.0 as numeric(18, 10)
        ) as recency_weeks,
        cast(
            {{ dates_between('first_purchase_date', 'observed_until_date') }} / 7.0 as numeric(18, 10)
        ) as age_weeks,
        cast(net_amount as numeric(18, 2)) as net_amount,
        cast(mean_repeat_amount as numeric(18, 4)) as mean_repeat_amount,
        cast(
            {{ expected_interval_days('purchase_days_count', 'first_purchased_at', 'last_purchased_at') }}
            as numeric(18, 6)
        ) as expected_interval_days
    from summed
)

select * from purchase_summaries
