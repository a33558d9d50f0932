{#-
  The campaigns for which this run's decisions stand for good, because planning has begun to act on them. A
  replay decides all of them again, elsewhere.
-#}
{% macro frozen_campaigns() -%}
    select distinct campaign
    from {{ source('ledger', 'plan_result') }}
    where run_id = {{ text_literal(pinned().run_id) }}
    {%- if pinned().get('is_replay') %} and 1 = 0{% endif %}
{%- endmacro %}

{#-
  Makes room for this run's rows when it decides again. As a pre-hook it belongs to the transaction that
  inserts them: whoever reads sees the old rows or the new ones, also after a crash.
-#}
{% macro delete_unfrozen_rows() -%}
    {%- if is_incremental() -%}
        delete from {{ this }}
        where
            run_id = {{ text_literal(pinned().run_id) }}
            and campaign not in ({{ frozen_campaigns() }})
    {%- endif -%}
{%- endmacro %}

{#- A table of an earlier decision, read without a ref because it also is what comes after; none at the very first. -#}
{% macro find_earlier(name) -%}
    {%- if not execute -%}
        {{ return(none) }}
    {%- endif -%}
    {%- set relation = find_relation(name) -%}
    {{ return(adapter.get_relation(relation.database, relation.schema, relation.identifier)) }}
{%- endmacro %}
