with events as (
    select * from {{ ref('stg_app__events') }}
    where not is_bot
),

visits as (
    select * from {{ ref('int_app_visits') }}
),

contact_records as (
    select * from {{ ref('int_contact_records') }}
),

tellings as (
    select
        events.push_token,
        events.platform,
        events.app_version,
        events.is_trusted,
        events.occurred_at,
        events.app_event_id,
        coalesce(visits.app_user_id, events.app_user_id) as app_user_id,
        coalesce(events.device_id, events.app_user_id) as device_key
    from events
    left join visits on events.app_event_id = visits.app_event_id
    where events.push_token is not null
),

-- A device has one token at a time, and a token is of one device: the newest word counts for both.
ranked as (
    select
        *,
        min(occurred_at) over (partition by push_token) as first_seen_at,
        row_number() over (partition by push_token order by occurred_at desc, app_event_id) as recency_of_token,
        row_number() over (partition by device_key order by occurred_at desc, app_event_id) as recency_on_device
    from tellings
),

uninstalls as (
    select coalesce(device_id, app_user_id) as device_key, max(occurred_at) as uninstalled_at
    from events
    where lower(event_name) = 'application uninstalled'
    group by coalesce(device_id, app_user_id)
),

push_tokens as (
    select
        ranked.push_token,
        ranked.platform,
        ranked.app_version,
        ranked.app_user_id,
        contact_records.contact_id,
        ranked.first_seen_at,
        ranked.occurred_at as last_seen_at,
        ranked.is_trusted
    from ranked
    left join uninstalls on ranked.device_key = uninstalls.device_key
    left join contact_records on ranked.app_user_id = contact_records.record_id
    where
        ranked.recency_of_token = 1 and ranked.recency_on_device = 1
        and (uninstalls.uninstalled_at is null or uninstalls.uninstalled_at < ranked.occurred_at)
)

select * from push_tokens
