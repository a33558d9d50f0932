{#- `decide` fills the table after the models are built, so before the first decision there is none. -#}
{%- set entries = find_earlier('fct_entries') -%}
-- depends_on: {{ ref('fct_entries') }}
with source as (
    {% if entries -%}
    select * from {{ ref('fct_entries') }}
    where run_sequence < {{ pinned().sequence }}
    {%- else -%}
    select
        cast(null as text) as campaign,
        cast(null as text) as contact_id,
        cast(null as text) as occurrence_key,
        cast(null as text) as run_id,
        cast(null as bigint) as run_sequence,
        cast(null as {{ type_timestamp_tz() }}) as occurred_at,
        cast(null as {{ type_timestamp_tz() }}) as entered_at,
        cast(null as boolean) as is_held_out,
        cast(null as boolean) as is_universal_control,
        cast(null as text) as arm
    where false
    {%- endif %}
),

renamed as (
    select
        campaign,
        contact_id,
        occurrence_key,
        run_id,
        run_sequence,
        occurred_at,
        entered_at,
        case
            when arm = 'treatment' then 'treated'
            when is_universal_control then 'universal_control'
            else 'held_out'
        end as assignment,
        is_held_out
    from source
)

select * from renamed
