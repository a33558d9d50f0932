with refund_lines as (
    select * from {{ ref('stg_shopify__refund_lines') }}
),

return_lines as (
    select *
    from {{ ref('stg_shopify__return_lines') }}
    where status not in ('CANCELED', 'DECLINED')
),

order_lines as (
    select * from {{ ref('fct_order_lines') }}
),

refunded as (
    select
        line_id,
        cast(sum(quantity) as bigint) as refunded_quantity,
        cast(sum(amount) as numeric(18, 2)) as refunded_amount,
        max(refunded_at) as refunded_at
    from refund_lines
    group by line_id
),

-- Of several returns of one line the first tells why.
ranked as (
    select
        *,
        row_number() over (partition by line_id order by asked_at, return_line_id) as place
    from return_lines
),

returned as (
    select
        line_id,
        cast(sum(quantity) as bigint) as returned_quantity,
        min(asked_at) as asked_at,
        case when count(*) = count(closed_at) then max(closed_at) end as closed_at,
        max(case when place = 1 then reason end) as reason
    from ranked
    group by line_id
),

returns as (
    select
        order_lines.line_id,
        order_lines.order_id,
        order_lines.contact_id,
        order_lines.ordered_at,
        order_lines.product_id,
        order_lines.variant_id,
        order_lines.sku,
        order_lines.product_title,
        order_lines.quantity,
        coalesce(returned.returned_quantity, 0) as returned_quantity,
        returned.asked_at,
        returned.closed_at,
        returned.reason,
        coalesce(refunded.refunded_quantity, 0) as refunded_quantity,
        cast(coalesce(refunded.refunded_amount, 0) as numeric(18, 2)) as refunded_amount,
        order_lines.currency,
        refunded.refunded_at,
        returned.line_id is not null as is_returned
    from order_lines
    left join refunded on order_lines.line_id = refunded.line_id
    left join returned on order_lines.line_id = returned.line_id
    where refunded.line_id is not null or returned.line_id is not null
)

select * from returns
