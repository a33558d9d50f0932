with source as (
    select * from {{ as_known('salesforce', 'users', ['id'], modified_at='system_modstamp') }} as known
),

renamed as (
    select
        id as owner_id,
        {{ parse_text('name') }} as owner_name,
        {{ normalise_email('email') }} as owner_email,
        {{ parse_text('department') }} as department,
        coalesce(is_active, false) as is_active
    from source
)

select * from renamed
