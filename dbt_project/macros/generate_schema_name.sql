{#- Each cadence has schemas of its own; only `decisions` is shared by both. A replay has others (profiles.yml). -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {%- if custom_schema_name is none -%}
        {{ target.schema }}
    {%- elif custom_schema_name == 'decisions' -%}
        {{- env_var('SAFAR_SCHEMA_PREFIX', '') }}decisions
    {%- else -%}
        {{ target.schema }}_{{ custom_schema_name }}
    {%- endif -%}
{%- endmacro %}
