{#-
  When people did what the campaigns that are not blocked want of them, before as_of: one row per goal's
  name (`model.column`), contact and time. Each model is read once, however many campaigns want it.
-#}
{% macro union_goals(campaigns) -%}
    {%- set blocked = pinned().get('blocked_campaigns', []) -%}
    {%- set goals = {} -%}
    {%- for campaign in campaigns if campaign.goal_model and campaign.name not in blocked -%}
        {%- do goals.update({campaign.goal_model ~ '.' ~ campaign.goal_at: campaign}) -%}
    {%- endfor -%}
    {%- for name, campaign in goals.items() %}
    select
        {{ text_literal(name) }} as goal,
        contact_id,
        {{ campaign.goal_at }} as goal_at
    from {{ find_relation(campaign.goal_model) }}
    where {{ campaign.goal_at }} < {{ as_of() }}
    {{ 'union all' if not loop.last }}
    {%- else %}
    select
        cast(null as {{ dbt.type_string() }}) as goal,
        cast(null as {{ dbt.type_string() }}) as contact_id,
        cast(null as {{ type_timestamp_tz() }}) as goal_at
    where 1 = 0
    {%- endfor %}
{%- endmacro %}
