{#-
  What the catalogue hands to the run: every campaign with its steps, and the rules that hold for all. It
  comes in the environment and is read only while a model runs, like the pin.
-#}
{% macro planned() -%}
    {%- if not execute -%}
        {{ return({'campaigns': [], 'rules': {'universal_control': 0, 'holdout_salt': ''}}) }}
    {%- endif -%}
    {%- set plans = env_var('SAFAR_CAMPAIGNS', '') -%}
    {%- if not plans -%}
        {{ exceptions.raise_compiler_error(
            "No campaigns were handed over. Decide with `safar decide`, or set SAFAR_CAMPAIGNS to the catalogue's campaigns and rules as JSON."
        ) }}
    {%- endif -%}
    {{ return(fromjson(plans)) }}
{%- endmacro %}

{#- The campaigns that this run decides: those of its cadence. -#}
{% macro campaigns_of_run() -%}
    {{ return(planned().campaigns | selectattr('cadence', 'equalto', target.name) | list) }}
{%- endmacro %}

{#- A model's table of this cadence, found by name: which campaigns there are is not known when dbt parses. -#}
{% macro find_relation(name) -%}
    {%- for node in graph.nodes.values() if node.resource_type == 'model' and node.name == name -%}
        {{ return(api.Relation.create(database=node.database, schema=node.schema, identifier=node.alias)) }}
    {%- endfor -%}
    {{ exceptions.raise_compiler_error("There is no model named " ~ name ~ ". Name the model as its .sql file is called.") }}
{%- endmacro %}

{#- A text of ours inside SQL. -#}
{% macro text_literal(value) -%}
    {{ return("'" ~ (value | string).replace("'", "''") ~ "'") }}
{%- endmacro %}
