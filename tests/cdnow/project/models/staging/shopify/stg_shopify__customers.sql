-- The file names customers only by their purchases: who bought first on a day became a customer on it.
with source as (
    select * from {{ as_known('cdnow', 'purchases', ['line_number']) }} as known
),

renamed as (
    select
        {{ dbt.concat(["'shopify:'", "customer_number"]) }} as record_id,
        customer_number as shopify_customer_id,
        cast(null as {{ dbt.type_string() }}) as email,
        cast(null as {{ dbt.type_string() }}) as first_name,
        cast(null as {{ dbt.type_string() }}) as last_name,
        cast(null as {{ dbt.type_string() }}) as phone,
        cast(null as {{ dbt.type_string() }}) as locale,
        'US' as country_code,
        cast(null as {{ dbt.type_string() }}) as consent_state,
        cast(null as {{ dbt.type_string() }}) as opt_in_level,
        cast(null as {{ type_timestamp_tz() }}) as consent_stated_at,
        min(purchased_at) as created_at,
        max(purchased_at) as updated_at,
        min(_dlt_valid_from) as learned_at,
        false as is_archived
    from source
    where purchased_at < {{ as_of() }}
    group by customer_number
)

select * from renamed
