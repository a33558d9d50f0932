with checkouts as (
    select * from {{ ref('stg_shopify__abandoned_checkouts') }}
),

edges as (
    select * from {{ ref('int_identity_edges') }}
),

contact_records as (
    select * from {{ ref('int_contact_records') }}
),

address_owners as (
    select edges.identifier, min(contact_records.contact_id) as contact_id
    from edges
    inner join contact_records on edges.record_id = contact_records.record_id
    where edges.identifier_type = 'email'
    group by edges.identifier
),

carts as (
    select
        checkouts.checkout_id as cart_id,
        coalesce(by_customer.contact_id, by_address.contact_id) as contact_id,
        checkouts.created_at as abandoned_at,
        checkouts.updated_at,
        checkouts.completed_at,
        checkouts.recovery_url,
        checkouts.total_amount,
        checkouts.currency,
        checkouts.items_count,
        checkouts.first_item_title
    from checkouts
    left join contact_records as by_customer on checkouts.record_id = by_customer.record_id
    left join address_owners as by_address
        on {{ dbt.concat(["'email:'", "checkouts.email"]) }} = by_address.identifier
)

select * from carts
