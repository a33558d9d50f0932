{#-
  One bound of Newcombe's 95 % interval for the difference of two shares (his method 10, without continuity
  correction): built from Wilson's interval of each share, so it stays right for few people and shares near
  0 or 1. NULL when either side is empty.

  successes and trials: SQL expressions, of the first and the second side. bound: 'low' or 'high'.
-#}
{% macro newcombe_interval(first_successes, first_trials, second_successes, second_trials, bound) -%}
    {%- set toward = '-' if bound == 'low' else '+' -%}
    {%- set away = '+' if bound == 'low' else '-' -%}
    (
        {{ share(first_successes, first_trials) }} - {{ share(second_successes, second_trials) }}
        {{ toward }} sqrt(
            power({{ wilson_bound(first_successes, first_trials, toward) }} - {{ share(first_successes, first_trials) }}, 2)
            + power({{ wilson_bound(second_successes, second_trials, away) }} - {{ share(second_successes, second_trials) }}, 2)
        )
    )
{%- endmacro %}

{#- One bound of Wilson's 95 % interval of a share. sign: '-' for the lower, '+' for the upper. -#}
{% macro wilson_bound(successes, trials, sign) -%}
    {%- set z = '1.959963984540054' -%}
    {%- set n = 'cast(nullif(' ~ trials ~ ', 0) as double precision)' -%}
    {%- set p = share(successes, trials) -%}
    (
        ({{ p }} + {{ z }} * {{ z }} / (2 * {{ n }}) {{ sign }} {{ z }} * sqrt({{ p }} * (1 - {{ p }}) / {{ n }} + {{ z }} * {{ z }} / (4 * {{ n }} * {{ n }})))
        / (1 + {{ z }} * {{ z }} / {{ n }})
    )
{%- endmacro %}

{#- Wald's 95 % interval of the same difference: the textbook's, for comparison. -#}
{% macro wald_interval(first_successes, first_trials, second_successes, second_trials, bound) -%}
    {%- set first = share(first_successes, first_trials) -%}
    {%- set second = share(second_successes, second_trials) -%}
    (
        {{ first }} - {{ second }} {{ '-' if bound == 'low' else '+' }} 1.959963984540054 * sqrt(
            {{ first }} * (1 - {{ first }}) / nullif({{ first_trials }}, 0)
            + {{ second }} * (1 - {{ second }}) / nullif({{ second_trials }}, 0)
        )
    )
{%- endmacro %}

{#- A share; NULL of nothing. -#}
{% macro share(successes, trials) -%}
    (cast({{ successes }} as double precision) / nullif({{ trials }}, 0))
{%- endmacro %}

{#- Shares are told to seven decimals: more is noise, and equal figures compare equal. -#}
{% macro round_share(expression) -%}
    cast(round(cast({{ expression }} as numeric), 7) as numeric(9, 7))
{%- endmacro %}
