{#- Whether two hosts are parts of one site: the same but for www, or one lies below the other. -#}
{% macro is_same_site(one, other) -%}
    {%- set bare_one = "case when " ~ one ~ " like 'www.%' then substring(" ~ one ~ ", 5) else " ~ one ~ " end" -%}
    {%- set bare_other = "case when " ~ other ~ " like 'www.%' then substring(" ~ other ~ ", 5) else " ~ other ~ " end" -%}
    (
        {{ bare_one }} = {{ bare_other }}
        or {{ one }} like {{ dbt.concat(["'%.'", bare_other]) }}
        or {{ other }} like {{ dbt.concat(["'%.'", bare_one]) }}
    )
{%- endmacro %}
