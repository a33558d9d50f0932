{{ config(materialized='view', schema='intermediate') }}

{%- set caps = caps_of_run() %}

with aliases as (
    select * from {{ ref('stg_ledger__contact_aliases') }}
),

-- What may have reached the person or still will; what is planned counts wherever the window lies.
messages as (
    select
        {{ name_person('messages.contact_id', 'aliases') }} as person_id,
        messages.channel,
        messages.class,
        messages.state,
        messages.claimed_at
    from {{ ref('stg_ledger__messages') }} as messages
    left join aliases on messages.contact_id = aliases.alias_id
),

message_counts as (
    select
        person_id,
        {%- for ordinal, same_window in caps | groupby('ordinal') %}
        {%- set cap = same_window | first %}
        {%- set since = dbt.dateadd('second', -cap.window_seconds, as_of()) %}
        sum(case
            when
                {{ takes_cap_place('messages', text_literal(cap.channel), text_literal(cap.class), since) }}
                or state = 'planned'
                and channel = {{ text_literal(cap.channel) }}
                and class = {{ text_literal(cap.class) }}
                then 1
            else 0
        end) as cap_{{ ordinal }}_count,
        {%- endfor %}
        count(*) as messages_count
    from messages
    group by person_id
)

select * from message_counts
