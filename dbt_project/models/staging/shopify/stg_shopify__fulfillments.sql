with source as (
    select * from {{ as_known('shopify', 'orders', ['id'], modified_at='updated_at') }} as known
),

parcels as (
    select
        source.id as order_id,
        parcel.element
    from source
    {{ join_json_elements('source.fulfillments', 'parcel') }}
),

renamed as (
    select
        {{ json_text('element', ['id']) }} as fulfillment_id,
        order_id,
        upper({{ json_text('element', ['status']) }}) as status,
        upper({{ json_text('element', ['displayStatus']) }}) as delivery_status,
        {{ parse_instant(json_text('element', ['createdAt'])) }} as shipped_at,
        {{ parse_instant(json_text('element', ['inTransitAt'])) }} as moved_at,
        {{ parse_instant(json_text('element', ['estimatedDeliveryAt'])) }} as promised_at,
        {{ parse_instant(json_text('element', ['deliveredAt'])) }} as arrived_at
    from parcels
),

shipped as (
    select
        fulfillment_id,
        order_id,
        status,
        delivery_status,
        shipped_at,
        moved_at,
        promised_at,
        case when arrived_at < {{ as_of() }} then arrived_at end as delivered_at
    from renamed
    where shipped_at < {{ as_of() }}
)

select * from shipped
