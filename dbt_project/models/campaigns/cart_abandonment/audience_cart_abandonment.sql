with carts as (
    select * from {{ ref('fct_carts') }}
),

contacts as (
    select * from {{ ref('dim_contacts') }}
),

-- A cart without its link or its content gives us nothing to write about.
abandoned_carts as (
    select *
    from carts
    where
        contact_id is not null
        and completed_at is null
        and recovery_url is not null
        and items_count > 0
        and abandoned_at < {{ as_of() }}
        and abandoned_at >= {{ dbt.dateadd('day', -var('abandoned_cart_days', 7), as_of()) }}
),

audience as (
    select
        abandoned_carts.contact_id,
        abandoned_carts.cart_id as occurrence_key,
        abandoned_carts.abandoned_at as occurred_at,
        contacts.first_name,
        coalesce(contacts.locale, '{{ var("default_locale") }}') as locale,
        abandoned_carts.recovery_url,
        abandoned_carts.first_item_title,
        abandoned_carts.items_count,
        abandoned_carts.items_count - 1 as other_items_count,
        abandoned_carts.total_amount,
        abandoned_carts.currency
    from abandoned_carts
    inner join contacts on abandoned_carts.contact_id = contacts.contact_id
    where not contacts.is_archived
)

select * from audience
