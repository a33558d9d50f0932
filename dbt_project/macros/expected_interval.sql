{#-
  Days that this person usually lets pass between two purchases: the mean of their own intervals once they
  have bought on enough days (var own_interval_purchases), the company's usual interval before.
-#}
{% macro expected_interval_days(purchase_days_count, first_purchased_at, last_purchased_at) -%}
    case
        when {{ purchase_days_count }} >= {{ [var('own_interval_purchases'), 2] | max }}
            then greatest(
                {{ days_between(first_purchased_at, last_purchased_at) }} / ({{ purchase_days_count }} - 1),
                {{ var('shortest_interval_days') }}
            )
        else {{ var('expected_interval_days') }}
    end
{%- endmacro %}
