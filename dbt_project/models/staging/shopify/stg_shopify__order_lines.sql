with source as (
    select * from {{ as_known('shopify', 'orders', ['id'], modified_at='updated_at') }} as known
),

lines as (
    select
        source.id as order_id,
        line.element
    from source
    {{ join_json_elements('source.line_items', 'line') }}
    where coalesce(source.processed_at, source.created_at) < {{ as_of() }}
),

renamed as (
    select
        {{ json_text('element', ['id']) }} as line_id,
        order_id,
        {{ json_text('element', ['product', 'id']) }} as product_id,
        {{ json_text('element', ['variant', 'id']) }} as variant_id,
        {{ parse_text(json_text('element', ['sku'])) }} as sku,
        {{ parse_text(json_text('element', ['title'])) }} as product_title,
        {{ parse_text(json_text('element', ['variantTitle'])) }} as variant_title,
        cast({{ parse_number(json_text('element', ['quantity'])) }} as bigint) as quantity,
        cast(
            {{ parse_number(json_text('element', ['originalUnitPriceSet', 'shopMoney', 'amount'])) }}
            as numeric(18, 2)
        ) as unit_price_amount,
        cast(
            {{ parse_number(json_text('element', ['discountedTotalSet', 'shopMoney', 'amount'])) }}
            as numeric(18, 2)
        ) as gross_amount
    from lines
)

select * from renamed
