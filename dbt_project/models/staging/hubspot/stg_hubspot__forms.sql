with source as (
    select *
    from {{ as_known('hubspot', 'forms', ['id'], modified_at='updated_at', with_deleted=true) }} as known
),

renamed as (
    select
        id as form_id,
        {{ parse_text('name') }} as form_name,
        lower(form_type) as form_type,
        created_at,
        coalesce(archived, false) or coalesce(_deleted, false) as is_archived
    from source
)

select * from renamed
