{#- Joins each element of a JSON list as `<alias>.element`; what is no list has no elements. -#}
{% macro join_json_elements(column, alias) -%}
    {{ return(adapter.dispatch('join_json_elements')(column, alias)) }}
{%- endmacro %}

{% macro default__join_json_elements(column, alias) -%}
    cross join lateral jsonb_array_elements(case when jsonb_typeof({{ column }}) = 'array' then {{ column }} end) as {{ alias }} (element)
{%- endmacro %}

{#- The text at a path of names inside a JSON value, or null. -#}
{% macro json_text(value, path) -%}
    {{ return(adapter.dispatch('json_text')(value, path)) }}
{%- endmacro %}

{% macro default__json_text(value, path) -%}
    ({{ value }} #>> '{% raw %}{{% endraw %}{{ path | join(",") }}{% raw %}}{% endraw %}')
{%- endmacro %}

{#- The JSON value at a path of names inside another one, or null. -#}
{% macro json_part(value, path) -%}
    {{ return(adapter.dispatch('json_part')(value, path)) }}
{%- endmacro %}

{% macro default__json_part(value, path) -%}
    ({{ value }} #> '{% raw %}{{% endraw %}{{ path | join(",") }}{% raw %}}{% endraw %}')
{%- endmacro %}

{#- How many elements a JSON list has; null when it is no list. -#}
{% macro count_json_elements(column) -%}
    {{ return(adapter.dispatch('count_json_elements')(column)) }}
{%- endmacro %}

{% macro default__count_json_elements(column) -%}
    case when jsonb_typeof({{ column }}) = 'array' then jsonb_array_length({{ column }}) end
{%- endmacro %}

{#- An instant inside JSON, written in ISO 8601 with its zone; anything else is null. -#}
{% macro parse_instant(column) -%}
    {{ return(adapter.dispatch('parse_instant')(column)) }}
{%- endmacro %}

{% macro default__parse_instant(column) -%}
    case
        when
            {{ column }} ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+(Z|[+-][0-9]{2}:?[0-9]{2})$'
            and pg_input_is_valid({{ column }}, 'timestamptz')
            then cast({{ column }} as {{ type_timestamp_tz() }})
    end
{%- endmacro %}

{#- Joins each part of a text such as `1;2;3` as `<alias>.part`. -#}
{% macro join_parts(column, separator, alias) -%}
    {{ return(adapter.dispatch('join_parts')(column, separator, alias)) }}
{%- endmacro %}

{% macro default__join_parts(column, separator, alias) -%}
    cross join lateral unnest(string_to_array({{ column }}, '{{ separator }}')) as {{ alias }} (part)
{%- endmacro %}

{#- An instant as text that is the same on every machine: microseconds, UTC. -#}
{% macro write_instant(instant) -%}
    {{ return(adapter.dispatch('write_instant')(instant)) }}
{%- endmacro %}

{% macro default__write_instant(instant) -%}
    to_char({{ instant }} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
{%- endmacro %}

{#- A JSON object of the columns that are not null, each under its own name. -#}
{% macro build_json(columns) -%}
    {{ return(adapter.dispatch('build_json')(columns)) }}
{%- endmacro %}

{% macro default__build_json(columns) -%}
    jsonb_strip_nulls(jsonb_build_object(
        {%- for column in columns %}
        '{{ column }}', {{ column }}{{ ',' if not loop.last }}
        {%- endfor %}
    ))
{%- endmacro %}
