{#- A sentence that must be true of every row, such as `a + b = c`. Unknown counts as broken. -#}
{% test holds(model, rule) %}
    select *
    from {{ model }}
    where not coalesce({{ rule }}, false)
{% endtest %}
