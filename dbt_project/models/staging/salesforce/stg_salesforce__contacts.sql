with source as (
    select *
    from {{ as_known('salesforce', 'contacts', ['id'], modified_at='system_modstamp', with_deleted=true) }} as known
),

renamed as (
    select
        {{ dbt.concat(["'salesforce:'", "id"]) }} as record_id,
        id as salesforce_id,
        account_id,
        {{ normalise_email('email') }} as email,
        {{ parse_text('first_name') }} as first_name,
        {{ parse_text('last_name') }} as last_name,
        coalesce({{ parse_text('mobile_phone') }}, {{ parse_text('phone') }}) as phone,
        {{ parse_text('title') }} as job_title,
        {{ parse_text('department') }} as department,
        {{ parse_text('lead_source') }} as acquisition_source,
        {{ parse_date('birthdate') }} as birthday,
        {{ parse_text('mailing_city') }} as city,
        {{ parse_country('mailing_country') }} as country_code,
        owner_id,
        coalesce(has_opted_out_of_email, false) as has_opted_out,
        {{ dbt.concat(["'salesforce:'", "master_record_id"]) }} as merged_into_record_id,
        coalesce(created_date, _dlt_valid_from) as created_at,
        coalesce(system_modstamp, created_date, _dlt_valid_from) as updated_at,
        coalesce(_deleted, false) as is_archived
    from source
    where created_date < {{ as_of() }} or created_date is null
)

select * from renamed
