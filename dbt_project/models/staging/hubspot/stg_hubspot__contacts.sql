with source as (
    select *
    from {{ as_known('hubspot', 'contacts', ['id'], modified_at='updated_at', with_deleted=true) }} as known
),

renamed as (
    select
        {{ dbt.concat(["'hubspot:'", "id"]) }} as record_id,
        id as hubspot_id,
        {{ normalise_email('properties__email') }} as email,
        {{ parse_text('properties__firstname') }} as first_name,
        {{ parse_text('properties__lastname') }} as last_name,
        {{ parse_language('properties__hs_language') }} as locale,
        {{ parse_country('properties__country') }} as country_code,
        {{ parse_time_zone('properties__hs_timezone') }} as time_zone,
        {{ parse_date('properties__birthday') }} as birthday,
        {{ parse_text('properties__gender') }} as gender,
        {{ parse_text('properties__province') }} as province,
        {{ parse_text('properties__jobtitle') }} as job_title,
        {{ parse_text('properties__phone') }} as phone,
        {{ parse_text('properties__hs_analytics_source') }} as acquisition_source,
        {{ parse_text('properties__hs_merged_object_ids') }} as merged_hubspot_ids,
        lower({{ parse_text('properties__deceased') }}) in ('true', 'yes', '1') as is_deceased,
        -- Where the vendor does not tell, the latest that it can be is when we learned of it.
        coalesce(created_at, _dlt_valid_from) as created_at,
        coalesce(updated_at, created_at, _dlt_valid_from) as updated_at,
        coalesce(archived, false) or coalesce(_deleted, false) as is_archived
    from source
    where created_at < {{ as_of() }} or created_at is null
)

select * from renamed
