{{ config(materialized='table', schema='intermediate') }}

{%- set columns = {
    'campaign': dbt.type_string(),
    'class': dbt.type_string(),
    'topic': dbt.type_string(),
    'priority': dbt.type_int(),
    'again': dbt.type_string(),
    'again_after_seconds': dbt.type_bigint(),
    'exit': dbt.type_string(),
    'goal': dbt.type_string(),
    'holdout': dbt.type_float(),
    'max_lag_seconds': dbt.type_bigint(),
    'max_lag': dbt.type_string(),
    'lifetime_seconds': dbt.type_bigint(),
    'journey_version': dbt.type_string(),
    'is_blocked': dbt.type_boolean(),
} -%}
{%- set blocked = pinned().get('blocked_campaigns', []) -%}
{#- How long a journey may last: each step can wait out its max_lag; a week more for answers that come late. -#}
{%- set slack_seconds = 7 * 86400 -%}
{%- set rows = [] -%}
{%- for plan in campaigns_of_run() -%}
    {%- set goal = plan.goal_model ~ '.' ~ plan.goal_at if plan.goal_model else none -%}
    {%- do rows.append(dict(
        plan,
        campaign=plan.name,
        goal=goal,
        exit=plan.exit or ('goal' if goal else none),
        max_lag=describe_seconds(plan.max_lag_seconds),
        lifetime_seconds=plan.steps | sum('wait_seconds') + plan.steps | length * plan.max_lag_seconds + slack_seconds,
        is_blocked=plan.name in blocked,
    )) -%}
{%- endfor -%}
{%- set decided_before = find_earlier('fct_decisions') -%}

with declared as (
    {{ inline_rows(columns, rows) }}
),

frozen as (
    {{ frozen_campaigns() }}
),

campaigns as (
    select
        declared.*,
        frozen.campaign is not null as is_frozen,
        {% if decided_before -%}
        (
            select max(decisions.decided_at)
            from {{ decided_before }} as decisions
            where decisions.campaign = declared.campaign and decisions.run_sequence < {{ pinned().sequence }}
        )
        {%- else -%}
        cast(null as {{ type_timestamp_tz() }})
        {%- endif %} as last_decided_at
    from declared
    left join frozen on declared.campaign = frozen.campaign
)

select * from campaigns
