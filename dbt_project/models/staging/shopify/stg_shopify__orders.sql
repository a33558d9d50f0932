with source as (
    select * from {{ as_known('shopify', 'orders', ['id'], modified_at='updated_at') }} as known
),

renamed as (
    select
        id as order_id,
        name as order_name,
        {{ dbt.concat(["'shopify:'", "customer__id"]) }} as record_id,
        {{ normalise_email('email') }} as email,
        -- An imported order is processed at the moment it was placed and created when it was imported.
        coalesce(processed_at, created_at) as ordered_at,
        coalesce(updated_at, processed_at, created_at) as updated_at,
        cancelled_at,
        coalesce(test, false) as is_test,
        upper(currency_code) as currency,
        cast({{ parse_number('total_price_set__shop_money__amount') }} as numeric(18, 2)) as gross_amount,
        cast({{ parse_number('total_refunded_set__shop_money__amount') }} as numeric(18, 2)) as refunded_amount,
        upper(display_financial_status) as financial_status,
        upper(display_fulfillment_status) as fulfillment_status,
        {{ parse_text('source_name') }} as source_name,
        {{ count_json_elements('line_items') }} as items_count,
        refunds
    from source
    where coalesce(processed_at, created_at) < {{ as_of() }}
)

select * from renamed
