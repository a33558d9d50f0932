{#-
  A small table out of what the catalogue says, typed also when it has no row.

  columns: {name: type}. rows: one dictionary per row with those names; a missing one is null.
-#}
{% macro inline_rows(columns, rows) -%}
    {%- for row in rows or [{}] %}
    select
        {%- for name, type in columns.items() %}
        cast({{ _inline_value(row.get(name)) }} as {{ type }}) as {{ name }}{{ ',' if not loop.last }}
        {%- endfor %}
    {%- if not rows %}
    where 1 = 0
    {%- endif %}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
{%- endmacro %}

{% macro _inline_value(value) -%}
    {%- if value is none or value is undefined -%}null
    {%- elif value is boolean or value is number -%}{{ value }}
    {%- else -%}{{ text_literal(value) }}
    {%- endif -%}
{%- endmacro %}
