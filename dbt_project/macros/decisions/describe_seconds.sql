{#- A length of time in words, in the largest unit that it fills: `7 days`. -#}
{% macro describe_seconds(seconds) -%}
    {%- for unit, size in [('day', 86400), ('hour', 3600), ('minute', 60), ('second', 1)] -%}
        {%- if seconds >= size and seconds % size == 0 -%}
            {%- set amount = seconds // size -%}
            {{ return(amount ~ ' ' ~ unit ~ ('s' if amount != 1 else '')) }}
        {%- endif -%}
    {%- endfor -%}
    {{ return('0 seconds') }}
{%- endmacro %}
