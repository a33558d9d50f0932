with variants as (
    select * from {{ ref('stg_shopify__product_variants') }}
),

products as (
    select * from {{ ref('stg_shopify__products') }}
),

levels as (
    select * from {{ ref('stg_shopify__inventory_levels') }}
),

order_lines as (
    select * from {{ ref('fct_order_lines') }}
),

stocks as (
    select
        inventory_item_id,
        sum(available_quantity) as available_quantity,
        max(updated_at) as stock_changed_at
    from levels
    group by inventory_item_id
),

sales as (
    select
        variant_id,
        cast(sum(quantity) as bigint) as sold_count,
        count(distinct contact_id) as buyers_count,
        cast(sum(gross_amount) as numeric(18, 2)) as sold_amount,
        min(ordered_at) as first_sold_at,
        max(ordered_at) as last_sold_at
    from order_lines
    where is_purchase and variant_id is not null
    group by variant_id
),

described as (
    select
        variants.variant_id,
        variants.product_id,
        variants.sku,
        products.product_title,
        variants.variant_title,
        products.product_type,
        products.vendor,
        products.status,
        variants.price_amount,
        variants.former_price_amount,
        cast('{{ var("currency") }}' as text) as currency,
        coalesce(variants.former_price_amount > variants.price_amount, false) as is_reduced,
        products.product_url,
        products.image_url,
        case
            when variants.is_counted then cast(coalesce(stocks.available_quantity, 0) as bigint)
        end as available_quantity,
        stocks.stock_changed_at,
        coalesce(products.status = 'ACTIVE' and products.is_published, false) as is_shown,
        not variants.is_counted or variants.is_sold_beyond_stock or coalesce(stocks.available_quantity, 0) > 0
            as is_in_stock,
        coalesce(sales.sold_count, 0) as sold_count,
        coalesce(sales.buyers_count, 0) as buyers_count,
        cast(coalesce(sales.sold_amount, 0) as numeric(18, 2)) as sold_amount,
        sales.first_sold_at,
        sales.last_sold_at
    from variants
    left join products on variants.product_id = products.product_id
    left join stocks on variants.inventory_item_id = stocks.inventory_item_id
    left join sales on variants.variant_id = sales.variant_id
)

select * from described
