{#- How often people did something after an ad: the values of one type among Meta's actions. -#}
{% macro sum_actions(action, action_type) -%}
    sum(
        case
            when {{ json_text(action, ['action_type']) }} = '{{ action_type }}'
                then {{ parse_number(json_text(action, ['value'])) }}
        end
    )
{%- endmacro %}
