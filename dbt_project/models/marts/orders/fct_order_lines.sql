with lines as (
    select * from {{ ref('stg_shopify__order_lines') }}
),

orders as (
    select * from {{ ref('fct_orders') }}
),

priced as (
    select
        *,
        cast(unit_price_amount * quantity as numeric(18, 2)) as list_amount
    from lines
),

order_lines as (
    select
        priced.line_id,
        priced.order_id,
        orders.contact_id,
        orders.ordered_at,
        orders.order_date,
        priced.product_id,
        priced.variant_id,
        priced.sku,
        priced.product_title,
        priced.variant_title,
        priced.quantity,
        priced.unit_price_amount,
        priced.list_amount,
        cast(priced.list_amount - priced.gross_amount as numeric(18, 2)) as discount_amount,
        priced.gross_amount,
        orders.currency,
        orders.is_purchase
    from priced
    inner join orders on priced.order_id = orders.order_id
)

select * from order_lines
