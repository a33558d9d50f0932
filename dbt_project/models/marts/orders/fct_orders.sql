with orders as (
    select * from {{ ref('stg_shopify__orders') }}
),

fulfillments as (
    select * from {{ ref('stg_shopify__fulfillments') }}
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

refunds as (
    select
        orders.order_id,
        {{ parse_instant(json_text('refund.element', ['createdAt'])) }} as refunded_at,
        cast(
            {{ parse_number(json_text('refund.element', ['totalRefundedSet', 'shopMoney', 'amount'])) }}
            as numeric(18, 2)
        ) as amount
    from orders
    {{ join_json_elements('orders.refunds', 'refund') }}
    union all
    -- A refund that is told only as a total happened at the latest when the order was last changed.
    select order_id, updated_at as refunded_at, refunded_amount as amount
    from orders
    where refunded_amount > 0 and coalesce({{ count_json_elements('refunds') }}, 0) = 0
),

running_refunds as (
    select
        order_id,
        refunded_at,
        amount,
        sum(amount) over (partition by order_id order by refunded_at rows unbounded preceding) as amount_so_far
    from refunds
    where refunded_at < {{ as_of() }}
),

refunded as (
    select
        orders.order_id,
        sum(running_refunds.amount) as refunded_amount,
        min(case when running_refunds.amount_so_far >= orders.gross_amount then running_refunds.refunded_at end)
            as wholly_refunded_at
    from running_refunds
    inner join orders on running_refunds.order_id = orders.order_id
    group by orders.order_id
),

-- A parcel that was called back or failed says nothing of when the others arrive.
parcels as (
    select
        order_id,
        min(shipped_at) as shipped_at,
        case when count(*) = count(delivered_at) then max(delivered_at) end as delivered_at
    from fulfillments
    where status not in ('CANCELLED', 'ERROR', 'FAILURE')
    group by order_id
),

-- An order stops counting when it is cancelled or when nothing of its price is left.
settled as (
    select
        orders.*,
        coalesce(by_customer.contact_id, by_address.contact_id) as contact_id,
        case
            when refunded.refunded_amount > orders.gross_amount then orders.gross_amount
            else coalesce(refunded.refunded_amount, 0)
        end as refunded_so_far_amount,
        case when orders.cancelled_at < {{ as_of() }} then orders.cancelled_at end as cancelled_by_then_at,
        case when orders.gross_amount > 0 then refunded.wholly_refunded_at end as wholly_refunded_at,
        parcels.shipped_at,
        case when orders.fulfillment_status = 'FULFILLED' then parcels.delivered_at end as delivered_at,
        coalesce(
            not orders.is_test and orders.gross_amount {{ '>=' if var('count_free_orders') else '>' }} 0, false
        ) as is_purchase_when_placed
    from orders
    left join refunded on orders.order_id = refunded.order_id
    left join parcels on orders.order_id = parcels.order_id
    left join contact_records as by_customer on orders.record_id = by_customer.record_id
    left join address_owners as by_address on {{ dbt.concat(["'email:'", "orders.email"]) }} = by_address.identifier
),

voided as (
    select
        *,
        case
            when cancelled_by_then_at <= wholly_refunded_at or wholly_refunded_at is null then cancelled_by_then_at
            else wholly_refunded_at
        end as voided_at
    from settled
),

counted as (
    select
        *,
        is_purchase_when_placed and voided_at is null as is_purchase
    from voided
),

numbered as (
    select
        order_id,
        order_name,
        contact_id,
        ordered_at,
        {{ local_date('ordered_at') }} as order_date,
        gross_amount,
        cast(refunded_so_far_amount as numeric(18, 2)) as refunded_amount,
        cast(gross_amount - refunded_so_far_amount as numeric(18, 2)) as net_amount,
        currency,
        items_count,
        source_name,
        is_test,
        cancelled_by_then_at is not null as is_cancelled,
        is_purchase_when_placed,
        is_purchase,
        voided_at,
        shipped_at,
        delivered_at,
        case
            when is_purchase and contact_id is not null
                then row_number() over (partition by contact_id, is_purchase order by ordered_at, order_id)
        end as order_number_of_contact
    from counted
)

select * from numbered
