with source as (
    select *
    from {{ as_known('salesforce', 'leads', ['id'], modified_at='system_modstamp', with_deleted=true) }} as known
),

renamed as (
    select
        {{ dbt.concat(["'salesforce:'", "id"]) }} as record_id,
        id as salesforce_id,
        {{ normalise_email('email') }} as email,
        {{ parse_text('first_name') }} as first_name,
        {{ parse_text('last_name') }} as last_name,
        {{ parse_text('phone') }} as phone,
        {{ parse_text('company') }} as company_name,
        {{ parse_text('title') }} as job_title,
        {{ parse_text('industry') }} as industry,
        {{ parse_text('lead_source') }} as acquisition_source,
        {{ parse_text('status') }} as lead_status,
        {{ parse_country('country') }} as country_code,
        owner_id,
        coalesce(has_opted_out_of_email, false) as has_opted_out,
        coalesce(is_converted, false) as is_converted,
        converted_date,
        {{ dbt.concat(["'salesforce:'", "converted_contact_id"]) }} as converted_record_id,
        converted_account_id,
        converted_opportunity_id,
        {{ dbt.concat(["'salesforce:'", "master_record_id"]) }} as merged_into_record_id,
        coalesce(created_date, _dlt_valid_from) as created_at,
        coalesce(system_modstamp, created_date, _dlt_valid_from) as updated_at,
        coalesce(_deleted, false) as is_archived
    from source
    where created_date < {{ as_of() }} or created_date is null
)

select * from renamed
