with source as (
    select *
    from {{ as_known('salesforce', 'accounts', ['id'], modified_at='system_modstamp', with_deleted=true) }} as known
),

renamed as (
    select
        id as account_id,
        {{ parse_text('name') }} as account_name,
        {{ parse_text('type') }} as account_type,
        {{ parse_text('industry') }} as industry,
        {{ parse_text('billing_country') }} as billing_country,
        cast(number_of_employees as bigint) as employees_count,
        cast(annual_revenue as numeric(18, 2)) as annual_revenue_amount,
        {{ parse_text('website') }} as website,
        owner_id,
        master_record_id as merged_into_account_id,
        created_date as created_at,
        system_modstamp as updated_at,
        coalesce(_deleted, false) as is_archived
    from source
    where created_date < {{ as_of() }} or created_date is null
)

select * from renamed
