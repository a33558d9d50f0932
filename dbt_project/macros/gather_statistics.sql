{#- A table made by `create table as` has no statistics until some later minute; the next model would be planned blind. -#}
{% macro gather_statistics() -%}
    {%- if model.config.materialized in ('table', 'incremental') -%}
        {{ return(adapter.dispatch('gather_statistics')()) }}
    {%- endif -%}
{%- endmacro %}

{% macro default__gather_statistics() -%}{%- endmacro %}

{% macro postgres__gather_statistics() -%}
    analyze {{ this }}
{%- endmacro %}
