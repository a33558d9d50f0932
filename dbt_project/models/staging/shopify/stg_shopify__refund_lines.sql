with source as (
    select * from {{ as_known('shopify', 'order_refunds', ['id'], modified_at='updated_at') }} as known
),

refunds as (
    select
        source.id as order_id,
        refund.element
    from source
    {{ join_json_elements('source.refunds', 'refund') }}
),

listed as (
    select
        order_id,
        {{ json_text('element', ['id']) }} as refund_id,
        {{ parse_instant(json_text('element', ['createdAt'])) }} as refunded_at,
        {{ json_part('element', ['refundLineItems', 'nodes']) }} as refund_lines
    from refunds
),

renamed as (
    select
        listed.refund_id,
        listed.order_id,
        {{ json_text('line.element', ['lineItem', 'id']) }} as line_id,
        listed.refunded_at,
        {{ parse_integer(json_text('line.element', ['quantity'])) }} as quantity,
        cast(
            {{ parse_number(json_text('line.element', ['subtotalSet', 'shopMoney', 'amount'])) }}
            as numeric(18, 2)
        ) as amount,
        upper({{ json_text('line.element', ['restockType']) }}) as restock_type
    from listed
    {{ join_json_elements('listed.refund_lines', 'line') }}
    where listed.refunded_at < {{ as_of() }}
)

select * from renamed
