with told_stages as (
    select * from {{ ref('stg_hubspot__stage_changes') }}
),

contact_records as (
    select * from {{ ref('int_contact_records') }}
),

orders as (
    select * from {{ ref('fct_orders') }}
),

stages as (
    select * from {{ ref('lifecycle_stages') }}
    where axis = 'acquisition'
),

-- Who left an address in the shop is a lead, whatever the CRM knows; who has bought is a customer.
signs as (
    select contact_records.contact_id, told_stages.stage, told_stages.entered_at as starts_at
    from told_stages
    inner join contact_records on told_stages.record_id = contact_records.record_id
    union all
    select contact_id, 'lead' as stage, created_at as starts_at
    from contact_records
    where source = 'shopify' and created_at is not null
    union all
    select contact_id, 'customer' as stage, ordered_at as starts_at
    from orders
    where is_purchase_when_placed and contact_id is not null
),

ranked as (
    select
        signs.*,
        stages.ordinal,
        max(stages.ordinal) over (
            partition by signs.contact_id
            order by signs.starts_at, stages.ordinal desc
            rows between unbounded preceding and 1 preceding
        ) as furthest_ordinal
    from signs
    inner join stages on signs.stage = stages.stage
),

-- The axis knows one direction: what counts is the furthest that a person has come.
advances as (
    select contact_id, stage, starts_at
    from ranked
    where furthest_ordinal is null or ordinal > furthest_ordinal
),

acquisition_stages as (
    select
        contact_id,
        stage,
        starts_at,
        coalesce(lead(starts_at) over (partition by contact_id order by starts_at), {{ as_of() }}) as ends_at
    from advances
)

select * from acquisition_stages
