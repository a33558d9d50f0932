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

{#- Each campaign's max_lag in words, by the column `campaign`. -#}
{% macro describe_max_lag() -%}
    case campaign
        {%- for plan in campaigns_of_run() %}
        when '{{ plan.name }}' then '{{ describe_seconds(plan.max_lag_seconds) }}'
        {%- endfor %}
        else ''
    end
{%- endmacro %}
