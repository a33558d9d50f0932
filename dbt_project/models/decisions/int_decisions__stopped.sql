{{ config(materialized='view', schema='intermediate') }}

with candidates as (
    select * from {{ ref('int_decisions__candidates') }}
),

aliases as (
    select * from {{ ref('stg_ledger__contact_aliases') }}
),

stops as (
    select
        stops.*,
        coalesce(aliases.contact_id, stops.contact_id) as person_id
    from {{ ref('stg_ledger__stops') }} as stops
    left join aliases on stops.contact_id = aliases.alias_id
),

-- An empty column of a stop means any. Stops of a person are many and joined by hash, the others are few.
matches as (
    {%- for person in ['stops.person_id = candidates.person_id', 'stops.person_id is null'] %}
    select
        candidates.campaign,
        candidates.step,
        candidates.contact_id,
        candidates.occurrence_key,
        stops.reason
    from candidates
    inner join stops
        on
            {{ person }}
            and coalesce(stops.campaign, candidates.campaign) = candidates.campaign
            and coalesce(stops.step, candidates.step) = candidates.step
            and coalesce(stops.channel, candidates.channel) = candidates.channel
            and coalesce(stops.occurrence_key, candidates.occurrence_key) = candidates.occurrence_key
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

stopped as (
    select
        campaign,
        step,
        contact_id,
        occurrence_key,
        min(reason) as reason
    from matches
    group by campaign, step, contact_id, occurrence_key
)

select * from stopped
