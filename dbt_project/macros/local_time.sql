{#- The calendar day on the company's wall (var time_zone) at an instant. -#}
{% macro local_date(instant) -%}
    {{ return(adapter.dispatch('local_date')(instant)) }}
{%- endmacro %}

{% macro default__local_date(instant) -%}
    cast(({{ instant }}) at time zone '{{ var("time_zone") }}' as date)
{%- endmacro %}

{#- The calendar day at an instant on a wall in another zone; without a zone, on the company's. -#}
{% macro date_in_zone(instant, zone) -%}
    {{ return(adapter.dispatch('date_in_zone')(instant, zone)) }}
{%- endmacro %}

{% macro default__date_in_zone(instant, zone) -%}
    cast(({{ instant }}) at time zone coalesce({{ zone }}, '{{ var("time_zone") }}') as date)
{%- endmacro %}

{#- The instant at which a day begins on the company's wall. -#}
{% macro local_midnight(day) -%}
    {{ return(adapter.dispatch('local_midnight')(day)) }}
{%- endmacro %}

{% macro default__local_midnight(day) -%}
    (cast({{ day }} as timestamp) at time zone '{{ var("time_zone") }}')
{%- endmacro %}

{#- The last day that has wholly or partly passed before an exclusive instant. -#}
{% macro last_day_before(instant) -%}
    {{ local_date(dbt.dateadd('second', -1, instant)) }}
{%- endmacro %}

{#- An instant some days of 24 hours later; the days may be a fraction. -#}
{% macro days_after(instant, days) -%}
    {{ dbt.dateadd('second', 'round(' ~ days ~ ' * 86400)', instant) }}
{%- endmacro %}

{#- Days of 24 hours from one instant to another, with fraction. -#}
{% macro days_between(start, stop) -%}
    {{ return(adapter.dispatch('days_between')(start, stop)) }}
{%- endmacro %}

{% macro default__days_between(start, stop) -%}
    (extract(epoch from ({{ stop }}) - ({{ start }})) / 86400)
{%- endmacro %}

{#- Whole calendar days from one date to another. -#}
{% macro dates_between(start, stop) -%}
    {{ return(adapter.dispatch('dates_between')(start, stop)) }}
{%- endmacro %}

{% macro default__dates_between(start, stop) -%}
    (({{ stop }}) - ({{ start }}))
{%- endmacro %}

{#- Calendar months from the month of one date to the month of another. -#}
{% macro months_between(start, stop) -%}
    (
        cast(
            12 * (extract(year from {{ stop }}) - extract(year from {{ start }}))
            + extract(month from {{ stop }}) - extract(month from {{ start }}) as integer
        )
    )
{%- endmacro %}

{#- Joins each day from one date to another, both included, as `<alias>.day`. -#}
{% macro join_days(first_day, last_day, alias) -%}
    {{ return(adapter.dispatch('join_days')(first_day, last_day, alias)) }}
{%- endmacro %}

{% macro default__join_days(first_day, last_day, alias) -%}
    cross join lateral (
        select cast(series.moment as date) as day
        from generate_series(
            cast({{ first_day }} as timestamp), cast({{ last_day }} as timestamp), interval '1 day'
        ) as series (moment)
    ) as {{ alias }}
{%- endmacro %}
