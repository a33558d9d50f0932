with permission_events as (
    select * from {{ ref('stg_ledger__permission_events') }}
),

contact_records as (
    select * from {{ ref('int_contact_records') }}
),

-- The last word counts; of two said in the same instant, the withdrawal. What is pending counts where nothing else
-- does.
ranked as (
    select
        *,
        row_number() over (
            partition by address_hash, channel, topic
            order by
                case state when 'pending' then 1 else 0 end,
                occurred_at desc,
                case state when 'revoked' then 0 else 1 end,
                permission_event_id desc
        ) as recency
    from permission_events
),

last_words as (
    select * from ranked
    where recency = 1
),

-- A word about topic `all` speaks about every topic; between the two the later counts. Looked up by a window, not by a
-- join: planners expect one row of `ranked` and would read all of them once for each.
overruled as (
    select
        *,
        max(case when topic = 'all' and state = 'revoked' then occurred_at end) over (
            partition by address_hash, channel
        ) as all_revoked_at
    from last_words
),

contact_permissions as (
    select
        contact_records.contact_id,
        overruled.channel,
        overruled.topic,
        overruled.address_hash,
        overruled.state,
        overruled.state = 'granted'
        and coalesce(overruled.all_revoked_at < overruled.occurred_at, true) as is_permitted,
        overruled.source,
        {{ json_text('overruled.proof', ['evidence']) }} as evidence,
        {{ json_text('overruled.proof', ['form']) }} as form,
        {{ json_text('overruled.proof', ['text_version']) }} as text_version,
        {{ parse_instant(json_text('overruled.proof', ['confirmed_at'])) }} as confirmed_at,
        overruled.occurred_at,
        overruled.recorded_at as learned_at
    from overruled
    left join contact_records on overruled.contact_id = contact_records.alias_id
)

select * from contact_permissions
