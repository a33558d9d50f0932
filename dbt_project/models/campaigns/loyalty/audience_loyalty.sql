with stages as (
    select * from {{ ref('fct_lifecycle_stages') }}
),

orders as (
    select * from {{ ref('fct_orders') }}
),

contacts as (
    select * from {{ ref('dim_contacts') }}
),

-- Who came back to the stage is thanked for the first time that they reached it, or not at all.
loyal_contacts as (
    select
        contact_id,
        min(entered_at) as first_entered_at,
        max(case when left_at is null then 1 else 0 end) = 1 as is_loyal
    from stages
    where
        axis = 'customer'
        and stage = 'loyal'
        and entered_at < {{ as_of() }}
    group by contact_id
),

purchases as (
    select contact_id, count(*) as orders_count
    from orders
    where is_purchase and ordered_at < {{ as_of() }}
    group by contact_id
),

audience as (
    select
        loyal_contacts.contact_id,
        'once' as occurrence_key,
        loyal_contacts.first_entered_at as occurred_at,
        contacts.first_name,
        coalesce(contacts.locale, '{{ var("default_locale") }}') as locale,
        purchases.orders_count
    from loyal_contacts
    inner join purchases on loyal_contacts.contact_id = purchases.contact_id
    inner join contacts on loyal_contacts.contact_id = contacts.contact_id
    where loyal_contacts.is_loyal and not contacts.is_archived
)

select * from audience
