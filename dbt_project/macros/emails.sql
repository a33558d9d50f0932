{#- An e-mail address as everybody compares it: trimmed, lower case, and null when nothing is left. -#}
{% macro normalise_email(column) -%}
    {{ return(adapter.dispatch('normalise_email')(column)) }}
{%- endmacro %}

{% macro default__normalise_email(column) -%}
    nullif(lower(trim({{ column }})), '')
{%- endmacro %}

{#- `trim` takes blanks only; what people paste brings tabs, line ends and no-break spaces too. As in Python: NFC. -#}
{% macro postgres__normalise_email(column) -%}
    nullif(normalize(lower(trim(e' \t\r\n\u00a0' from {{ column }})), nfc), '')
{%- endmacro %}

{#- Whether a normalised address could receive mail at all. Never null. -#}
{% macro is_valid_email(column) -%}
    {{ return(adapter.dispatch('is_valid_email')(column)) }}
{%- endmacro %}

{% macro default__is_valid_email(column) -%}
    coalesce(
        length({{ column }}) <= 254
        and {{ column }} ~ '^[^[:space:]@,:;<>()"\\[\]]{1,64}@([^[:space:][:punct:]]([^[:space:]@,:;<>()".]{0,61}[^[:space:][:punct:]])?\.)+[^[:space:][:punct:][:digit:]][^[:space:]@,:;<>()".]{1,62}$'
        and {{ column }} !~ '^\.|\.\.|\.@',
        false
    )
{%- endmacro %}
