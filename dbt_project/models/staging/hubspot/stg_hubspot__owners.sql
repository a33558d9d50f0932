with source as (
    select *
    from {{ as_known('hubspot', 'owners', ['id'], modified_at='updated_at', with_deleted=true) }} as known
),

renamed as (
    select
        id as owner_id,
        {{ normalise_email('email') }} as email,
        {{ parse_text('first_name') }} as first_name,
        {{ parse_text('last_name') }} as last_name,
        coalesce(archived, false) or coalesce(_deleted, false) as is_archived
    from source
)

select * from renamed
