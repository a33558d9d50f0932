with source as (
    select * from {{ source('ledger', 'permission_event') }}
),

known as (
    select
        permission_event_id,
        channel,
        topic,
        address_hash,
        contact_id,
        state,
        source,
        source_key,
        (proof ->> 'message_id')::uuid as message_id,
        occurred_at,
        recorded_at
    from source
    where recorded_at < {{ known_at('ledger') }}
)

select * from known
