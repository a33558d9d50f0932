with source as (
    select * from {{ source('ledger', 'provider_event') }}
),

known as (
    select
        provider,
        event_id,
        message_id,
        provider_message_id,
        event_type,
        channel,
        address_hash,
        occurred_at,
        url_domain,
        reason,
        is_late,
        coalesce(payload ->> 'sg_machine_open', 'false') = 'true' as is_machine_open,
        coalesce(payload ->> 'link', '') = 'unsubscribe' as is_unsubscribe_click,
        payload ->> 'type' as bounce_type,
        recorded_at
    from source
    where recorded_at < {{ known_at('ledger') }}
)

select * from known
