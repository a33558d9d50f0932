{#-
  What the pinned run may know. The pin comes in the environment, not in --vars, and is read only while
  a model runs: so the parsed project stays valid from run to run.
-#}
{% macro pinned() -%}
    {%- if not execute -%}
        {{ return({'run_id': '', 'sequence': 0, 'cadence': '', 'as_of': '1970-01-01T00:00:00+00:00', 'known_at': {}}) }}
    {%- endif -%}
    {%- set pin = env_var('SAFAR_PIN', '') -%}
    {%- if not pin -%}
        {{ exceptions.raise_compiler_error(
            "No run is pinned. Build with `safar build`, which pins one, or set SAFAR_PIN to a row of ledger.run as JSON."
        ) }}
    {%- endif -%}
    {{ return(fromjson(pin)) }}
{%- endmacro %}

{#- Event time up to which this run counts, exclusive. -#}
{% macro as_of() -%}
    cast('{{ pinned().as_of }}' as {{ type_timestamp_tz() }})
{%- endmacro %}

{#- When we last learned something of this source that this run may know. -#}
{% macro known_at(source_name) -%}
    cast('{{ pinned().known_at.get(source_name, '1970-01-01T00:00:00+00:00') }}' as {{ type_timestamp_tz() }})
{%- endmacro %}
