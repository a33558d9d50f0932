{{ config(materialized='view', schema='intermediate') }}

{%- set caps = planned().rules.caps %}

with aliases as (
    select * from {{ ref('stg_ledger__contact_aliases') }}
),

-- What may have reached the person or still will; what is planned counts wherever the window lies.
messages as (
    select
        coalesce(aliases.contact_id, messages.contact_id) as person_id,
        messages.channel,
        messages.class,
        messages.claimed_at,
        messages.state = 'planned' as is_planned
    from {{ ref('stg_ledger__messages') }} as messages
    left join aliases on messages.contact_id = aliases.alias_id
    where messages.state in ('planned', 'claimed', 'attempting', 'accepted', 'unknown', 'presumed_lost')
),

message_counts as (
    select
        person_id,
        {%- for cap in caps %}
        sum(case
            when
                channel = '{{ cap.channel }}'
                and class = '{{ cap.class }}'
                and (is_planned or claimed_at > {{ dbt.dateadd('second', -cap.window_seconds, as_of()) }})
                then 1
            else 0
        end) as cap_{{ loop.index }}_count,
        {%- endfor %}
        count(*) as messages_count
    from messages
    group by person_id
)

select * from message_counts
