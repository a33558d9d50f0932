with source as (
    select * from {{ as_known('shopify', 'product_variants', ['id'], modified_at='updated_at') }} as known
),

renamed as (
    select
        id as variant_id,
        product__id as product_id,
        inventory_item__id as inventory_item_id,
        nullif({{ parse_text('title') }}, 'Default Title') as variant_title,
        {{ parse_text('sku') }} as sku,
        cast({{ parse_number('price') }} as numeric(18, 2)) as price_amount,
        cast({{ parse_number('compare_at_price') }} as numeric(18, 2)) as former_price_amount,
        coalesce(inventory_item__tracked, false) as is_counted,
        coalesce(upper(inventory_policy) = 'CONTINUE', false) as is_sold_beyond_stock,
        created_at,
        updated_at
    from source
    where created_at < {{ as_of() }}
)

select * from renamed
