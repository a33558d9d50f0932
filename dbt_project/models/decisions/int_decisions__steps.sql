{{ config(materialized='table', schema='intermediate') }}

{%- set columns = {
    'campaign': dbt.type_string(),
    'step': dbt.type_string(),
    'ordinal': dbt.type_int(),
    'previous_step': dbt.type_string(),
    'wait_seconds': dbt.type_bigint(),
    'condition': dbt.type_string(),
    'channel': dbt.type_string(),
    'template': dbt.type_string(),
    'if_not_sent': dbt.type_string(),
} -%}
{%- set rows = [] -%}
{%- for plan in campaigns_of_run() -%}
    {%- for step in plan.steps -%}
        {%- do rows.append(dict(
            step,
            campaign=plan.name,
            step=step.name,
            ordinal=loop.index,
            previous_step=step.previous,
            condition=step.when,
        )) -%}
    {%- endfor -%}
{%- endfor -%}

with steps as (
    {{ inline_rows(columns, rows) }}
)

select * from steps
