with source as (
    select * from {{ as_known('hubspot', 'list_contacts', ['list_id', 'contact_id']) }} as known
),

renamed as (
    select
        list_id,
        {{ dbt.concat(["'hubspot:'", "contact_id"]) }} as record_id,
        added_at
    from source
    where added_at < {{ as_of() }} or added_at is null
)

select * from renamed
