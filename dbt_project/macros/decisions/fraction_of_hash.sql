{#- Draws lots that fall the same way on every database and every day: a number in [0, 1) out of a text. -#}
{% macro fraction_of_hash(expression) -%}
    {{ return(adapter.dispatch('fraction_of_hash')(expression)) }}
{%- endmacro %}

{#- The first eight hexadecimal digits of the hash, one by one. -#}
{% macro default__fraction_of_hash(expression) -%}
    (
        {%- for digit in range(1, 9) %}
        (
            {{ dbt.position("substring(" ~ dbt.hash(expression) ~ ", " ~ digit ~ ", 1)", "'0123456789abcdef'") }} - 1
        ) / {{ 16 ** digit }}.0{{ ' +' if not loop.last }}
        {%- endfor %}
    )
{%- endmacro %}

{#- The same number, faster. -#}
{% macro postgres__fraction_of_hash(expression) -%}
    (cast(cast('x' || substring(md5({{ expression }}), 1, 8) as bit(32)) as bigint) / 4294967296.0)
{%- endmacro %}

{#- A lot of one person for one purpose; the salt (a text of ours) makes another draw of it. -#}
{% macro draw_lot(salt, purpose, person) -%}
    {{ fraction_of_hash(text_literal(salt ~ '/') ~ ' || ' ~ purpose ~ " || '/' || " ~ person) }}
{%- endmacro %}
