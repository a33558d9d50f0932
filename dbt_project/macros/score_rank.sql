{#- A score from 1 to 5 by the share of people who are worse: 5 from four fifths on. -#}
{% macro score_rank(share) -%}
    case when {{ share }} >= 0.8 then 5 else cast(floor({{ share }} * 5) as integer) + 1 end
{%- endmacro %}
