{{ config(
    incremental_strategy='append',
    pre_hook='{{ delete_unfrozen_rows() }}',
    indexes=[
        {'columns': ['campaign', 'contact_id', 'occurrence_key'], 'unique': true},
        {'columns': ['run_id', 'campaign']},
    ]
) }}

{%- set rules = planned().rules -%}

with audiences as (
    {{ union_audiences(campaigns_of_run(), with_fields=true) }}
),

campaigns as (
    select * from {{ ref('int_decisions__campaigns') }}
    where not is_frozen
),

aliases as (
    select * from {{ ref('stg_ledger__contact_aliases') }}
),

-- Who entered before, under any id that the person has had.
earlier_entries as (
    {%- if is_incremental() %}
    select
        entries.campaign,
        coalesce(aliases.contact_id, entries.contact_id) as contact_id,
        entries.occurrence_key,
        entries.entered_at
    from {{ this }} as entries
    left join aliases on entries.contact_id = aliases.alias_id
    where entries.run_sequence < {{ pinned().sequence }}
    {%- else %}
    select
        campaign,
        contact_id,
        occurrence_key,
        occurred_at as entered_at
    from audiences
    where 1 = 0
    {%- endif %}
),

newcomers as (
    select
        audiences.*,
        campaigns.class,
        campaigns.holdout,
        campaigns.journey_version,
        -- Of several occurrences of one person the newest is news; each_occurrence takes them all.
        row_number() over (
            partition by
                audiences.campaign,
                audiences.contact_id,
                case when campaigns.again = 'each_occurrence' then audiences.occurrence_key end
            order by audiences.occurred_at desc, audiences.occurrence_key
        ) as recency
    from audiences
    inner join campaigns on audiences.campaign = campaigns.campaign
    where not exists (
        select 1
        from earlier_entries as earlier
        where
            earlier.campaign = audiences.campaign
            and earlier.contact_id = audiences.contact_id
            and (
                earlier.occurrence_key = audiences.occurrence_key
                or campaigns.again = 'never'
                or campaigns.again = 'after'
                and {{ dbt.dateadd('second', 'campaigns.again_after_seconds', 'earlier.entered_at') }} > {{ as_of() }}
            )
    )
),

drawn as (
    select
        newcomers.*,
        class = 'marketing' and {{ draw_lot(rules.holdout_salt, 'campaign', 'contact_id') }} < holdout as is_held_out,
        {{ draw_lot(rules.holdout_salt, text_literal('universal control'), 'contact_id') }}
        < {{ rules.universal_control }} as is_universal_control
    from newcomers
    where recency = 1
),

entries as (
    select
        campaign,
        contact_id,
        occurrence_key,
        {{ text_literal(pinned().run_id) }} as run_id,
        cast({{ pinned().sequence }} as {{ dbt.type_bigint() }}) as run_sequence,
        occurred_at,
        {{ as_of() }} as entered_at,
        is_held_out,
        is_universal_control,
        case
            when is_held_out or is_universal_control and class = 'marketing' then 'control'
            else 'treatment'
        end as arm,
        journey_version,
        fields
    from drawn
)

select * from entries
