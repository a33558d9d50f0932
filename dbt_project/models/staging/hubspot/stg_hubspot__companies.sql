with source as (
    select *
    from {{ as_known('hubspot', 'companies', ['id'], modified_at='updated_at', with_deleted=true) }} as known
),

renamed as (
    select
        id as company_id,
        {{ parse_text('properties__name') }} as company_name,
        lower({{ parse_text('properties__domain') }}) as domain,
        lower({{ parse_text('properties__industry') }}) as industry,
        {{ parse_text('properties__city') }} as city,
        {{ parse_text('properties__country') }} as country_name,
        {{ parse_number('properties__numberofemployees') }} as employees_count,
        lower({{ parse_text('properties__lifecyclestage') }}) as lifecycle_stage,
        {{ parse_text('properties__hubspot_owner_id') }} as owner_id,
        {{ parse_text('properties__hs_merged_object_ids') }} as merged_company_ids,
        coalesce(created_at, _dlt_valid_from) as created_at,
        coalesce(updated_at, created_at, _dlt_valid_from) as updated_at,
        coalesce(archived, false) or coalesce(_deleted, false) as is_archived
    from source
    where created_at < {{ as_of() }} or created_at is null
)

select * from renamed
