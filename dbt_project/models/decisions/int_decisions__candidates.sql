{{ config(materialized='table', schema='intermediate', unlogged=true) }}

{%- set longest_journey = campaigns_of_run() | map(attribute='steps') | map('length') | max | default(1, true) %}

with positions as (
    select * from {{ ref('int_decisions__positions') }}
),

steps as (
    select * from {{ ref('int_decisions__steps') }}
),

messages as (
    select * from {{ ref('stg_ledger__messages') }}
),

provider_events as (
    select * from {{ ref('stg_ledger__provider_events') }}
    where
        event_type in ('open', 'click')
        and not is_machine_open
        and occurred_at < {{ as_of() }}
),

answers as (
    select
        messages.campaign,
        messages.step,
        messages.contact_id,
        messages.occurrence_key,
        max(case when provider_events.event_type = 'click' then 1 else 0 end) = 1 as is_clicked
    from provider_events
    inner join messages on provider_events.message_id = messages.message_id
    group by messages.campaign, messages.step, messages.contact_id, messages.occurrence_key
),

{#- A condition that does not hold passes the step over, and with if_not_sent: continue the next one is looked at. #}
{%- for round in range(1, longest_journey + 1) %}
reached_{{ round }} as (
    {{ reach_next_step('positions' if loop.first else 'passed_' ~ (round - 1)) }}
),

passed_{{ round }} as (
    select * from reached_{{ round }}
    where not is_condition_met and if_not_sent = 'continue'
),
{% endfor %}
candidates as (
    {%- for round in range(1, longest_journey + 1) %}
    select * from reached_{{ round }}
    where is_condition_met
    {{ 'union all' if not loop.last }}
    {%- endfor %}
)

select
    campaign,
    step,
    contact_id,
    occurrence_key,
    person_id,
    channel,
    template,
    occurred_at as entry_occurred_at,
    reached_at as due_at,
    is_held_out,
    is_universal_control
from candidates
