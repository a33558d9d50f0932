{#-
  Vendors send numbers, days and zones as text. What is none becomes null; it is never an error.

  A count or an amount of money is zero or more: below zero it is none.
-#}
{% macro parse_number(column) -%}
    {{ return(adapter.dispatch('parse_number')(column)) }}
{%- endmacro %}

{% macro default__parse_number(column) -%}
    case when {{ column }} ~ '^\s*[0-9]{1,16}([.][0-9]*)?\s*$' then cast({{ column }} as {{ dbt.type_numeric() }}) end
{%- endmacro %}

{#- A whole number, below zero too: of things that can be owed, such as stock. -#}
{% macro parse_integer(column) -%}
    {{ return(adapter.dispatch('parse_integer')(column)) }}
{%- endmacro %}

{% macro default__parse_integer(column) -%}
    case when {{ column }} ~ '^\s*-?[0-9]{1,16}\s*$' then cast({{ column }} as {{ dbt.type_bigint() }}) end
{%- endmacro %}

{#- A day written YYYY-MM-DD; `today` and `infinity`, which Postgres would take, are no days. -#}
{% macro parse_date(column) -%}
    {{ return(adapter.dispatch('parse_date')(column)) }}
{%- endmacro %}

{% macro default__parse_date(column) -%}
    case
        when {{ column }} ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}$' and pg_input_is_valid({{ column }}, 'date')
            then cast({{ column }} as date)
    end
{%- endmacro %}

{#- An IANA time zone that this database can compute with. -#}
{% macro parse_time_zone(column) -%}
    {{ return(adapter.dispatch('parse_time_zone')(column)) }}
{%- endmacro %}

{% macro default__parse_time_zone(column) -%}
    case when {{ column }} in (select zones.name from pg_timezone_names as zones) then {{ column }} end
{%- endmacro %}

{#- The digits of a phone number from its country code on; null when it is not written with one (+49 or 0049). -#}
{% macro phone_digits(column) -%}
    {{ return(adapter.dispatch('phone_digits')(column)) }}
{%- endmacro %}

{% macro default__phone_digits(column) -%}
    case
        when trim({{ column }}) ~ '^([+]|00)' then regexp_replace({{ column }}, '^\s*00|[^0-9]', '', 'g')
    end
{%- endmacro %}

{#- The language of a locale such as `de`, `de-DE` or `DE_at`: two or three small letters. -#}
{% macro parse_language(column) -%}
    {%- set language = "lower(" ~ dbt.split_part("replace(trim(" ~ column ~ "), '_', '-')", "'-'", 1) ~ ")" -%}
    case when length({{ language }}) between 2 and 3 then {{ language }} end
{%- endmacro %}

{#- A country by its two letters (ISO 3166). -#}
{% macro parse_country(column) -%}
    case when length(trim({{ column }})) = 2 then upper(trim({{ column }})) end
{%- endmacro %}

{#- Text without blanks around it, null when nothing is left. -#}
{% macro parse_text(column) -%}
    nullif(trim({{ column }}), '')
{%- endmacro %}
