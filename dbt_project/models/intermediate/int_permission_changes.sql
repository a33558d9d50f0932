with statements as (
    select * from {{ ref('int_permission_statements') }}
),

countries as (
    select * from {{ ref('permission_countries') }}
),

sources as (
    select * from {{ ref('permission_sources') }}
),

contacts as (
    select * from {{ ref('dim_contacts') }}
),

edges as (
    select * from {{ ref('int_identity_edges') }}
),

contact_records as (
    select * from {{ ref('int_contact_records') }}
),

address_owners as (
    select distinct edges.identifier, contact_records.contact_id
    from edges
    inner join contact_records on edges.record_id = contact_records.record_id
    where edges.identifier_type = 'email'
),

judged as (
    select
        statements.*,
        address_owners.contact_id,
        contacts.country_code,
        case
            when statements.word = 'granted' then {{ judge_evidence('statements', 'countries', 'sources') }}
        end as answer
    from statements
    left join address_owners on {{ dbt.concat(["'email:'", "statements.address"]) }} = address_owners.identifier
    left join contacts on address_owners.contact_id = contacts.contact_id
    left join countries on contacts.country_code = countries.country_code
    left join sources on statements.source = sources.source and statements.evidence = sources.evidence
),

-- A yes that is not enough is kept as pending, so that one can see that it was said. What nobody said is not.
stated as (
    select
        *,
        case
            when word = 'revoked' then 'revoked'
            when answer = 'yes' then 'granted'
            when evidence not in ('purchase', 'nothing') then 'pending'
        end as state,
        {{ build_json([
            'evidence', 'country_code', 'answer', 'text_version', 'form', 'stated_at', 'confirmed_at'
        ]) }} as proof
    from judged
),

keyed as (
    select
        *,
        {{ dbt.hash(dbt.concat([
            "source", "'|'", "statement_of", "'|'", "topic", "'|'", "address", "'|'", "state", "'|'",
            write_instant('occurred_at')
        ])) }} as source_key
    from stated
    where state is not null
),

-- One address spelled in two ways, or one subscription asked about twice, is one statement.
ranked as (
    select
        *,
        row_number() over (partition by source_key order by stated_at, contact_id, learned_at) as repetition
    from keyed
),

permission_changes as (
    select
        channel,
        topic,
        address,
        contact_id,
        state,
        source,
        source_key,
        proof,
        evidence in ('purchase', 'nothing') as is_implied,
        occurred_at
    from ranked
    where repetition = 1
)

select * from permission_changes
