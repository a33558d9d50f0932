{{ config(materialized='table', schema='intermediate', unlogged=true) }}

{#- What can stand in a candidate's way before candidates are compared, in order: outcome, condition, its words. -#}
{%- set hindrances = [
    (
        'blocked',
        'is_blocked or stop_reason is not null',
        "coalesce('stopped: ' || stop_reason, 'blocked by the gate')",
    ),
    ('expired', 'expires_at <= ' ~ as_of(), "'due ' || max_lag || ' ago or more'"),
    ('invalid_address', 'not is_address_valid', "'no valid address: ' || channel"),
    ('no_channel', 'address_hash is null', "'no address: ' || channel"),
    ('suppressed', 'suppression_reason is not null', 'suppression_reason'),
    (
        'no_consent',
        'is_marketing and not coalesce(is_granted, false)',
        "case when is_granted is not null then 'withdrawn: ' when pending_at is not null then 'not confirmed: ' "
        ~ "else 'never asked: ' end || topic",
    ),
    ('goal_reached', 'goal_at is not null', 'goal'),
    (
        'held_out',
        'is_marketing and (is_held_out or is_universal_control)',
        "case when is_held_out then 'holdout of the campaign' else 'universal control' end",
    ),
] -%}
{%- for cap in caps_of_run() -%}
    {%- do hindrances.append((
        'capped',
        "campaign in ('" ~ cap.campaigns | join("', '") ~ "') and channel = '" ~ cap.channel ~ "' and "
        ~ is_cap_full('cap_' ~ cap.ordinal ~ '_count', cap.limit),
        "'" ~ cap.limit ~ ' in ' ~ describe_seconds(cap.window_seconds) ~ "'",
    )) -%}
{%- endfor -%}
{%- do hindrances.append(('same_address', 'is_address_written', "'written to before for somebody else'")) %}

with facts as (
    select * from {{ ref('int_decisions__facts') }}
),

judged as (
    select
        campaign,
        step,
        contact_id,
        occurrence_key,
        person_id,
        channel,
        template,
        class,
        is_marketing,
        topic,
        priority,
        entry_occurred_at,
        due_at,
        expires_at,
        address_hash,
        locale,
        case
            {%- for outcome, condition, words in hindrances %}
            when {{ condition }} then '{{ outcome }}'
            {%- endfor %}
        end as outcome,
        case
            {%- for outcome, condition, words in hindrances %}
            when {{ condition }} then {{ words }}
            {%- endfor %}
        end as outcome_detail
    from facts
)

select * from judged
