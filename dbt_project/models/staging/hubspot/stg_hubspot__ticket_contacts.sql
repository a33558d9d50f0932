with source as (
    select * from {{ as_known('hubspot', 'ticket_contacts', ['ticket_id', 'contact_id']) }} as known
),

renamed as (
    select
        ticket_id,
        {{ dbt.concat(["'hubspot:'", "contact_id"]) }} as record_id
    from source
)

select * from renamed
