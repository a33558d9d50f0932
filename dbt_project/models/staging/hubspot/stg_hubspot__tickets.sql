with source as (
    select *
    from {{ as_known('hubspot', 'tickets', ['id'], modified_at='updated_at', with_deleted=true) }} as known
),

renamed as (
    select
        id as ticket_id,
        {{ parse_text('properties__hs_pipeline') }} as pipeline_id,
        {{ parse_text('properties__hs_pipeline_stage') }} as stage_id,
        lower({{ parse_text('properties__hs_ticket_category') }}) as category,
        lower({{ parse_text('properties__hs_ticket_priority') }}) as priority,
        lower({{ parse_text('properties__source_type') }}) as channel,
        {{ parse_text('properties__hubspot_owner_id') }} as owner_id,
        {{ parse_instant('properties__closed_date') }} as closed_at,
        coalesce(created_at, _dlt_valid_from) as created_at,
        coalesce(updated_at, created_at, _dlt_valid_from) as updated_at,
        coalesce(archived, false) or coalesce(_deleted, false) as is_archived
    from source
    where created_at < {{ as_of() }} or created_at is null
)

select * from renamed
