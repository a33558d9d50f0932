with source as (
    select * from {{ as_known('hubspot', 'lists', ['list_id'], modified_at='updated_at') }} as known
),

renamed as (
    select
        list_id,
        {{ parse_text('name') }} as list_name,
        lower(processing_type) as processing_type,
        object_type_id = '0-1' as is_of_contacts,
        created_at
    from source
)

select * from renamed
