with source as (
    select *
    from {{ as_known('hubspot', 'deals', ['id'], modified_at='updated_at', with_deleted=true) }} as known
),

renamed as (
    select
        id as deal_id,
        {{ parse_text('properties__pipeline') }} as pipeline_id,
        {{ parse_text('properties__dealstage') }} as stage_id,
        cast({{ parse_number('properties__amount') }} as {{ dbt.type_numeric() }}) as amount,
        upper({{ parse_text('properties__deal_currency_code') }}) as currency,
        {{ parse_instant('properties__closedate') }} as closes_at,
        coalesce(lower(properties__hs_is_closed) = 'true', false) as is_closed,
        coalesce(lower(properties__hs_is_closed_won) = 'true', false) as is_won,
        {{ parse_text('properties__hubspot_owner_id') }} as owner_id,
        coalesce(created_at, _dlt_valid_from) as created_at,
        coalesce(updated_at, created_at, _dlt_valid_from) as updated_at,
        coalesce(archived, false) or coalesce(_deleted, false) as is_archived
    from source
    where created_at < {{ as_of() }} or created_at is null
)

select * from renamed
