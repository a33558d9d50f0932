with source as (
    select * from {{ as_known('hubspot', 'deal_companies', ['deal_id', 'company_id']) }} as known
),

primary_links as (
    select distinct
        source.deal_id,
        source.company_id
    from source
    {{ join_json_elements('source.association_types', 'kind') }}
    where {{ json_text('kind.element', ['label']) }} = 'Primary'
),

renamed as (
    select
        source.deal_id,
        source.company_id,
        primary_links.deal_id is not null as is_primary
    from source
    left join primary_links
        on source.deal_id = primary_links.deal_id and source.company_id = primary_links.company_id
)

select * from renamed
