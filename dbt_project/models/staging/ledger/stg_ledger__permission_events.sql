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
        case
            when source in ('unsubscribe_link', 'sendgrid') then cast(proof ->> 'message_id' as uuid)
        end as message_id,
        proof,
        proof ->> 'evidence' in ('purchase', 'nothing') as is_implied,
        occurred_at,
        recorded_at
    from source
    where recorded_at < {{ known_at('ledger') }}
)

select * from known
