{#- The columns of an audience that say who enters when; all others are fields of its templates. -#}
{% macro entry_columns() -%}
    {{ return(['contact_id', 'occurrence_key', 'occurred_at']) }}
{%- endmacro %}

{#-
  Every audience of the given campaigns under one another, up to as_of. The audience of a blocked campaign
  is never named: its table may be last night's, or none.
-#}
{% macro union_audiences(campaigns, with_fields) -%}
    {%- set blocked = pinned().get('blocked_campaigns', []) -%}
    {%- set open_campaigns = campaigns | rejectattr('name', 'in', blocked) | list -%}
    {%- for campaign in open_campaigns %}
    select
        {{ text_literal(campaign.name) }} as campaign,
        audience.contact_id,
        audience.occurrence_key,
        audience.occurred_at
        {%- if with_fields %},
        {{ snapshot_fields('audience', entry_columns()) }} as fields
        {%- endif %}
    from {{ find_relation(campaign.audience) }} as audience
    where audience.occurred_at < {{ as_of() }}
    {{ 'union all' if not loop.last }}
    {%- else %}
    select
        cast(null as {{ dbt.type_string() }}) as campaign,
        cast(null as {{ dbt.type_string() }}) as contact_id,
        cast(null as {{ dbt.type_string() }}) as occurrence_key,
        cast(null as {{ type_timestamp_tz() }}) as occurred_at
        {%- if with_fields %},
        cast(null as {{ type_json() }}) as fields
        {%- endif %}
    where 1 = 0
    {%- endfor %}
{%- endmacro %}

{#- A whole row as one JSON object, without the columns named. -#}
{% macro snapshot_fields(alias, except) -%}
    {{ return(adapter.dispatch('snapshot_fields')(alias, except)) }}
{%- endmacro %}

{% macro default__snapshot_fields(alias, except) -%}
    (to_jsonb({{ alias }}) - array['{{ except | join("', '") }}'])
{%- endmacro %}

{% macro type_json() -%}
    {{ return(adapter.dispatch('type_json')()) }}
{%- endmacro %}

{% macro default__type_json() -%}
    jsonb
{%- endmacro %}
