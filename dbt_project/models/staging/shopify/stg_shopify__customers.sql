with source as (
    select *
    from {{ as_known('shopify', 'customers', ['id'], modified_at='updated_at', with_deleted=true) }} as known
),

renamed as (
    select
        {{ dbt.concat(["'shopify:'", "id"]) }} as record_id,
        id as shopify_customer_id,
        {{ normalise_email('email') }} as email,
        {{ parse_text('first_name') }} as first_name,
        {{ parse_text('last_name') }} as last_name,
        {{ parse_text('phone') }} as phone,
        {{ parse_language('locale') }} as locale,
        {{ parse_country('default_address__country_code_v2') }} as country_code,
        upper(email_marketing_consent__marketing_state) as consent_state,
        upper(email_marketing_consent__marketing_opt_in_level) as opt_in_level,
        email_marketing_consent__consent_updated_at as consent_stated_at,
        coalesce(created_at, _dlt_valid_from) as created_at,
        coalesce(updated_at, created_at, _dlt_valid_from) as updated_at,
        _dlt_valid_from as learned_at,
        coalesce(_deleted, false) as is_archived
    from source
    where created_at < {{ as_of() }} or created_at is null
)

select * from renamed
