-- The shop of this company is a file: its purchases take the place, and the shape, of Shopify's orders.
with source as (
    select * from {{ as_known('cdnow', 'purchases', ['line_number']) }} as known
),

renamed as (
    select
        cast(line_number as {{ dbt.type_string() }}) as order_id,
        cast(null as {{ dbt.type_string() }}) as order_name,
        {{ dbt.concat(["'shopify:'", "customer_number"]) }} as record_id,
        cast(null as {{ dbt.type_string() }}) as email,
        purchased_at as ordered_at,
        purchased_at as updated_at,
        cast(null as {{ type_timestamp_tz() }}) as cancelled_at,
        false as is_test,
        'USD' as currency,
        cast(amount as numeric(18, 2)) as gross_amount,
        cast(0 as numeric(18, 2)) as refunded_amount,
        'PAID' as financial_status,
        cast(null as {{ dbt.type_string() }}) as fulfillment_status,
        'file' as source_name,
        cast(discs_count as integer) as items_count,
        cast(null as jsonb) as refunds
    from source
    where purchased_at < {{ as_of() }}
)

select * from renamed
