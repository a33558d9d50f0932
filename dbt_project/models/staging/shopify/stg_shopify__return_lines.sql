with source as (
    select * from {{ as_known('shopify', 'order_returns', ['id'], modified_at='updated_at') }} as known
),

returns as (
    select
        source.id as order_id,
        asked.element
    from source
    {{ join_json_elements('source.returns', 'asked') }}
),

listed as (
    select
        order_id,
        {{ json_text('element', ['id']) }} as return_id,
        upper({{ json_text('element', ['status']) }}) as status,
        {{ parse_instant(json_text('element', ['createdAt'])) }} as asked_at,
        {{ parse_instant(json_text('element', ['closedAt'])) }} as closed_at,
        {{ json_part('element', ['returnLineItems', 'nodes']) }} as return_lines
    from returns
),

renamed as (
    select
        {{ json_text('line.element', ['id']) }} as return_line_id,
        listed.return_id,
        listed.order_id,
        {{ json_text('line.element', ['fulfillmentLineItem', 'lineItem', 'id']) }} as line_id,
        listed.status,
        listed.asked_at,
        case when listed.closed_at < {{ as_of() }} then listed.closed_at end as closed_at,
        {{ parse_integer(json_text('line.element', ['quantity'])) }} as quantity,
        {{ parse_text(json_text('line.element', ['returnReasonDefinition', 'handle'])) }} as reason
    from listed
    {{ join_json_elements('listed.return_lines', 'line') }}
    where listed.asked_at < {{ as_of() }}
)

select * from renamed
