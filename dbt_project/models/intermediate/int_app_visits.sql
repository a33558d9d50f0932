{#- Silence of this length ends a visit. -#}
{%- set silence = var('session_silence_minutes') * 60 -%}

with events as (
    select * from {{ ref('stg_app__events') }}
),

-- What our own server tells without a device happened on no page; and nobody visits who is a program.
on_devices as (
    select
        app_event_id,
        app_user_id,
        coalesce(device_id, app_user_id) as device_key,
        occurred_at
    from events
    where not is_bot and (device_id is not null or not is_trusted)
),

spaced as (
    select
        *,
        lag(occurred_at) over (partition by device_key order by occurred_at, app_event_id) as previous_at,
        count(app_user_id) over (
            partition by device_key
            order by occurred_at, app_event_id
            rows between unbounded preceding and current row
        ) as names_so_far
    from on_devices
),

numbered as (
    select
        *,
        sum(case
            when previous_at is null or occurred_at >= {{ dbt.dateadd('second', silence, 'previous_at') }} then 1
            else 0
        end) over (
            partition by device_key
            order by occurred_at, app_event_id
            rows between unbounded preceding and current row
        ) as visit_number
    from spaced
),

-- Who has said no name is whoever was last known on the device, before that whoever was known there first.
named as (
    select
        *,
        max(app_user_id) over (partition by device_key, names_so_far) as last_named,
        max(case when names_so_far = 1 then app_user_id end) over (partition by device_key) as first_named,
        first_value(app_event_id) over (
            partition by device_key, visit_number
            order by occurred_at, app_event_id
        ) as first_event_id
    from numbered
),

visits as (
    select
        app_event_id,
        {{ dbt.hash('device_key') }} as visitor_id,
        {{ dbt.hash('first_event_id') }} as session_id,
        coalesce(app_user_id, last_named, first_named) as app_user_id
    from named
)

select * from visits
