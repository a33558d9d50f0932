{{ config(materialized='table', schema='intermediate', unlogged=true) }}

{%- set earlier_decisions = find_earlier('fct_decisions') %}

with entries as (
    select * from {{ ref('int_decisions__open_entries') }}
),

steps as (
    select * from {{ ref('int_decisions__steps') }}
),

actions as (
    select * from {{ ref('stg_ledger__actions') }}
),

plan_results as (
    select * from {{ ref('stg_ledger__plan_results') }}
),

acted as (
    select
        campaign,
        step,
        contact_id,
        occurrence_key,
        case
            when state = 'accepted' then 'sent'
            when state in ('planned', 'claimed', 'attempting', 'unknown') then 'pending'
            else 'not_sent'
        end as progress,
        case when state = 'accepted' then accepted_at else due_at end as settled_at,
        1 as preference
    from actions
),

-- Final outcomes of earlier runs. A step that was still blocked when it expired is over as well.
decided as (
    {%- if earlier_decisions %}
    select
        decisions.campaign,
        decisions.step,
        decisions.contact_id,
        decisions.occurrence_key,
        case
            when decisions.outcome = 'goal_reached' then 'goal_reached'
            when
                decisions.outcome = 'send'
                and coalesce(plan_results.result, 'planned') in ('planned', 'already_planned')
                then 'pending'
            else 'not_sent'
        end as progress,
        decisions.due_at as settled_at,
        2 as preference
    from {{ earlier_decisions }} as decisions
    left join plan_results
        on
            decisions.run_id = plan_results.run_id
            and decisions.campaign = plan_results.campaign
            and decisions.step = plan_results.step
            and decisions.contact_id = plan_results.contact_id
            and decisions.occurrence_key = plan_results.occurrence_key
    where
        decisions.run_sequence < {{ pinned().sequence }}
        and (
            decisions.outcome in ('held_out', 'goal_reached', 'expired')
            or decisions.outcome = 'blocked' and decisions.decided_at >= decisions.expires_at
            or decisions.outcome = 'send' and coalesce(plan_results.result, 'planned') <> 'blocked'
        )
    {%- else %}
    select * from acted
    where 1 = 0
    {%- endif %}
),

records as (
    select * from acted
    union all
    select * from decided
),

ranked_records as (
    select
        records.campaign,
        records.contact_id,
        records.occurrence_key,
        records.progress,
        records.settled_at,
        steps.ordinal,
        steps.if_not_sent,
        row_number() over (
            partition by records.campaign, records.contact_id, records.occurrence_key
            order by steps.ordinal desc, records.preference, records.settled_at
        ) as recency
    from records
    inner join steps on records.campaign = steps.campaign and records.step = steps.step
),

positions as (
    select
        entries.*,
        coalesce(last_record.ordinal, 0) as ordinal,
        coalesce(last_record.settled_at, entries.occurred_at) as reached_at
    from entries
    left join ranked_records as last_record
        on
            entries.campaign = last_record.campaign
            and entries.contact_id = last_record.contact_id
            and entries.occurrence_key = last_record.occurrence_key
            and last_record.recency = 1
    where
        last_record.progress is null
        or last_record.progress = 'sent'
        or last_record.progress = 'not_sent' and last_record.if_not_sent = 'continue'
)

select * from positions
