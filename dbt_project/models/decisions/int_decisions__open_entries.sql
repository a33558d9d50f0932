{{ config(materialized='table', schema='intermediate', unlogged=true) }}

{%- set segment_campaigns = campaigns_of_run() | selectattr('exit', 'in', ['segment', 'either']) | list %}

with campaigns as (
    select * from {{ ref('int_decisions__campaigns') }}
    where not is_frozen
),

aliases as (
    select * from {{ ref('stg_ledger__contact_aliases') }}
),

segment_members as (
    {{ union_audiences(segment_campaigns, with_fields=false) }}
),

-- What could have ended before the campaign was last decided has had its chances.
living_entries as (
    select
        entries.campaign,
        entries.contact_id,
        entries.occurrence_key,
        coalesce(aliases.contact_id, entries.contact_id) as person_id,
        entries.occurred_at,
        entries.is_held_out,
        entries.is_universal_control,
        campaigns.exit in ('segment', 'either') and not campaigns.is_blocked as is_bound_to_segment
    from {{ ref('fct_entries') }} as entries
    inner join campaigns on entries.campaign = campaigns.campaign
    left join aliases on entries.contact_id = aliases.alias_id
    where
        entries.run_sequence <= {{ pinned().sequence }}
        and (
            campaigns.last_decided_at is null
            or {{ dbt.dateadd('second', 'campaigns.lifetime_seconds', 'entries.entered_at') }}
            >= campaigns.last_decided_at
        )
),

open_entries as (
    select
        campaign,
        contact_id,
        occurrence_key,
        person_id,
        occurred_at,
        is_held_out,
        is_universal_control
    from living_entries
    where
        not coalesce(is_bound_to_segment, false)
        or exists (
            select 1
            from segment_members
            where
                segment_members.campaign = living_entries.campaign
                and segment_members.contact_id = living_entries.person_id
                and segment_members.occurrence_key = living_entries.occurrence_key
        )
)

select * from open_entries
