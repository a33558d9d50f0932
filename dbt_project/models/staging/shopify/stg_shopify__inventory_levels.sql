with source as (
    select * from {{ as_known('shopify', 'inventory_levels', ['id'], modified_at='updated_at') }} as known
),

quantities as (
    select
        source.id as inventory_level_id,
        {{ parse_integer(json_text('quantity.element', ['quantity'])) }} as quantity
    from source
    {{ join_json_elements('source.quantities', 'quantity') }}
    where {{ json_text('quantity.element', ['name']) }} = 'available'
),

available as (
    select
        inventory_level_id,
        min(quantity) as available_quantity
    from quantities
    group by inventory_level_id
),

renamed as (
    select
        source.id as inventory_level_id,
        source.location_id,
        source.item__id as inventory_item_id,
        available.available_quantity,
        source.updated_at
    from source
    left join available on source.id = available.inventory_level_id
)

select * from renamed
