with source as (
    select * from {{ as_known('hubspot', 'deal_contacts', ['deal_id', 'contact_id']) }} as known
),

renamed as (
    select
        deal_id,
        {{ dbt.concat(["'hubspot:'", "contact_id"]) }} as record_id
    from source
)

select * from renamed
