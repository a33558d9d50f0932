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

-- A word about topic `all` speaks about every topic; between the two the later counts.
words_about_all as (
    select address_hash, channel, state, occurred_at
    from last_words
    where topic = 'all' and state <> 'pending'
),

contact_permissions as (
    select
        contact_records.contact_id,
        last_words.channel,
        last_words.topic,
        last_words.address_hash,
        last_words.state,
        last_words.state = 'granted'
        and coalesce(words_about_all.state <> 'revoked' or words_about_all.occurred_at < last_words.occurred_at, true)
            as is_permitted,
        last_words.source,
        {{ json_text('last_words.proof', ['evidence']) }} as evidence,
        {{ json_text('last_words.proof', ['form']) }} as form,
        {{ json_text('last_words.proof', ['text_version']) }} as text_version,
        {{ parse_instant(json_text('last_words.proof', ['confirmed_at'])) }} as confirmed_at,
        last_words.occurred_at,
        last_words.recorded_at as learned_at
    from last_words
    left join contact_records on last_words.contact_id = contact_records.alias_id
    left join words_about_all
        on
            last_words.address_hash = words_about_all.address_hash
            and last_words.channel = words_about_all.channel
)

select * from contact_permissions
