{#- Each round carries the oldest known record one link further; a test fails when the rounds did not suffice. -#}
{%- set rounds = var('identity_rounds') -%}

with edges as (
    select * from {{ ref('int_identity_edges') }}
),

merged_records as (
    select distinct identifier as record_id
    from edges
    where identifier_type = 'merged_record'
),

addressed_records as (
    select distinct record_id
    from edges
    where identifier_type = 'email'
),

records as (
    select
        record_id,
        source,
        created_at,
        is_archived,
        -- The oldest record names the person; an unseen one has no age and never does, and the app's only its own.
        row_number() over (
            order by
                case when source = 'app' then 1 else 0 end,
                case when created_at is null then 1 else 0 end,
                created_at,
                record_id
        ) as seniority
    from edges
    where identifier_type = 'record'
),

links as (
    select
        edges.record_id,
        edges.identifier,
        records.seniority
    from edges
    inner join records on edges.record_id = records.record_id
),
{% for round in range(1, rounds + 1) %}
{%- set previous = 'links' if loop.first else 'spread_' ~ (round - 1) %}
shared_{{ round }} as (
    select identifier, min(seniority) as seniority
    from {{ previous }}
    group by identifier
),

reached_{{ round }} as (
    select links.record_id, min(shared.seniority) as seniority
    from links
    inner join shared_{{ round }} as shared on links.identifier = shared.identifier
    group by links.record_id
),
{% if not loop.last %}
spread_{{ round }} as (
    select links.record_id, links.identifier, reached.seniority
    from links
    inner join reached_{{ round }} as reached on links.record_id = reached.record_id
),
{% endif %}
{%- endfor %}
grouped as (
    select
        records.record_id,
        {{ dbt.hash('oldest.record_id') }} as contact_id,
        {{ dbt.hash('records.record_id') }} as alias_id,
        records.source,
        records.created_at,
        records.is_archived,
        merged_records.record_id is not null as is_merged_away,
        addressed_records.record_id is not null as has_valid_email
    from records
    inner join reached_{{ rounds }} as reached on records.record_id = reached.record_id
    inner join records as oldest on reached.seniority = oldest.seniority
    left join merged_records on records.record_id = merged_records.record_id
    left join addressed_records on records.record_id = addressed_records.record_id
),

contact_records as (
    select
        *,
        row_number() over (
            partition by contact_id
            order by
                case when is_archived or is_merged_away then 1 else 0 end,
                case when source = 'app' then 1 else 0 end,
                case when has_valid_email then 0 else 1 end,
                case source when 'hubspot' then 0 when 'salesforce' then 1 else 2 end,
                created_at desc,
                record_id
        ) as record_rank
    from grouped
)

select * from contact_records
