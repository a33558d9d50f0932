with orders as (
    select * from {{ ref('fct_orders') }}
),

purchases as (
    select
        contact_id,
        cast({{ dbt.date_trunc('month', 'order_date') }} as date) as purchase_month
    from orders
    where is_purchase and contact_id is not null
),

first_purchases as (
    select
        contact_id,
        min(purchase_month) as cohort_month
    from purchases
    group by contact_id
),

cohorts as (
    select
        cohort_month,
        count(*) as contacts_count
    from first_purchases
    group by cohort_month
),

bounds as (
    select
        min(cohort_month) as first_month,
        {{ last_day_before(as_of()) }} as last_day,
        {{ local_date(as_of()) }} as today
    from cohorts
),

months as (
    select distinct
        {{ months_between('bounds.first_month', 'calendar.day') }} as months_since_first,
        bounds.last_day,
        bounds.today
    from bounds
    {{ join_days('bounds.first_month', 'bounds.last_day', 'calendar') }}
),

buyers as (
    select
        first_purchases.cohort_month,
        {{ months_between('first_purchases.cohort_month', 'purchases.purchase_month') }} as months_since_first,
        count(distinct purchases.contact_id) as buyers_count
    from purchases
    inner join first_purchases on purchases.contact_id = first_purchases.contact_id
    group by
        first_purchases.cohort_month,
        {{ months_between('first_purchases.cohort_month', 'purchases.purchase_month') }}
),

-- A month that has not begun cannot be observed: it is unknown, not zero.
cohort_months as (
    select
        cohorts.cohort_month,
        months.months_since_first,
        cohorts.contacts_count,
        {{ months_between('cohorts.cohort_month', 'months.today') }} > months.months_since_first as is_complete,
        case
            when {{ months_between('cohorts.cohort_month', 'months.last_day') }} >= months.months_since_first
                then coalesce(buyers.buyers_count, 0)
        end as buyers_count
    from cohorts
    cross join months
    left join buyers
        on
            cohorts.cohort_month = buyers.cohort_month
            and months.months_since_first = buyers.months_since_first
),

cohort_retention as (
    select
        cohort_month,
        months_since_first,
        contacts_count,
        buyers_count,
        cast(buyers_count / cast(contacts_count as numeric(18, 6)) as numeric(18, 6)) as retention_rate,
        is_complete
    from cohort_months
)

select * from cohort_retention
