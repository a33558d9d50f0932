with orders as (
    select * from {{ ref('fct_orders') }}
),

purchases as (
    select contact_id, order_date, ordered_at, voided_at
    from orders
    where is_purchase_when_placed and contact_id is not null
),

voidings as (
    select distinct contact_id, voided_at
    from purchases
    where voided_at is not null
),

-- A cancellation or a whole refund must not rewrite what was true before it. So a person has one history
-- of purchases up to the first voiding, another from there to the next, and so on; mostly there is one.
histories as (
    select
        contact_id,
        cast(null as {{ type_timestamp_tz() }}) as holds_from,
        min(voided_at) as holds_until
    from purchases
    group by contact_id
    union all
    select
        contact_id,
        voided_at as holds_from,
        lead(voided_at) over (partition by contact_id order by voided_at) as holds_until
    from voidings
),

-- What is bought in one day counts as one purchase, made at the day's first order.
purchase_days as (
    select
        histories.contact_id,
        histories.holds_from,
        histories.holds_until,
        purchases.order_date,
        min(purchases.ordered_at) as purchased_at
    from histories
    inner join purchases
        on
            histories.contact_id = purchases.contact_id
            and (histories.holds_until is null or purchases.ordered_at < histories.holds_until)
            and (
                histories.holds_from is null
                or purchases.voided_at is null
                or purchases.voided_at > histories.holds_from
            )
    group by histories.contact_id, histories.holds_from, histories.holds_until, purchases.order_date
),

numbered as (
    select
        *,
        row_number() over (partition by contact_id, holds_from order by purchased_at) as purchase_number,
        min(purchased_at) over (partition by contact_id, holds_from) as first_purchased_at,
        lead(purchased_at) over (partition by contact_id, holds_from order by purchased_at) as next_purchased_at
    from purchase_days
),

paced as (
    select
        *,
        {{ expected_interval_days('purchase_number', 'first_purchased_at', 'purchased_at') }} as interval_days
    from numbered
),

dated as (
    select
        *,
        {{ days_after('purchased_at', 'interval_days * ' ~ var('at_risk_after')) }} as at_risk_at,
        {{ days_after('purchased_at', 'interval_days * ' ~ var('lapsed_after')) }} as lapsed_at
    from paced
),

judged as (
    select
        *,
        case
            when lag(lapsed_at) over (partition by contact_id, holds_from order by purchased_at) < purchased_at
                then 'won_back'
            when purchase_number >= {{ var('loyal_purchases') }} then 'loyal'
            when purchase_number > 1 then 'repeat'
            else 'first_purchase'
        end as stage_after_purchase
    from dated
),

phases as (
    select
        contact_id, holds_from, holds_until, next_purchased_at,
        stage_after_purchase as stage, purchased_at as starts_at, at_risk_at as ends_at
    from judged
    union all
    select
        contact_id, holds_from, holds_until, next_purchased_at,
        'at_risk' as stage, at_risk_at as starts_at, lapsed_at as ends_at
    from judged
    union all
    select
        contact_id, holds_from, holds_until, next_purchased_at,
        'lapsed' as stage, lapsed_at as starts_at, {{ as_of() }} as ends_at
    from judged
),

clipped as (
    select
        contact_id,
        stage,
        greatest(starts_at, coalesce(holds_from, starts_at)) as starts_at,
        least(
            ends_at,
            coalesce(next_purchased_at, {{ as_of() }}),
            coalesce(holds_until, {{ as_of() }}),
            {{ as_of() }}
        ) as ends_at
    from phases
),

customer_stages as (
    select *
    from clipped
    where starts_at < ends_at
)

select * from customer_stages
