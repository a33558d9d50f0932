with source as (
    select * from {{ as_known('hubspot', 'contact_companies', ['contact_id', 'company_id']) }} as known
),

primary_links as (
    select distinct
        source.contact_id,
        source.company_id
    from source
    {{ join_json_elements('source.association_types', 'kind') }}
    where {{ json_text('kind.element', ['label']) }} = 'Primary'
),

renamed as (
    select
        {{ dbt.concat(["'hubspot:'", "source.contact_id"]) }} as record_id,
        source.company_id,
        primary_links.contact_id is not null as is_primary
    from source
    left join primary_links
        on source.contact_id = primary_links.contact_id and source.company_id = primary_links.company_id
)

select * from renamed
