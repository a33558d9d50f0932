with source as (
    select * from {{ as_known('shopify', 'abandoned_checkouts', ['id'], modified_at='updated_at') }} as known
),

renamed as (
    select
        id as checkout_id,
        {{ dbt.concat(["'shopify:'", "customer__id"]) }} as record_id,
        {{ normalise_email('customer__email') }} as email,
        {{ parse_text('abandoned_checkout_url') }} as recovery_url,
        created_at,
        updated_at,
        case when completed_at < {{ as_of() }} then completed_at end as completed_at,
        cast({{ parse_number('total_price_set__shop_money__amount') }} as numeric(18, 2)) as total_amount,
        upper(total_price_set__shop_money__currency_code) as currency,
        {{ count_json_elements('line_items') }} as items_count,
        {{ parse_text(json_text('line_items', ['0', 'title'])) }} as first_item_title
    from source
    where created_at < {{ as_of() }}
)

select * from renamed
