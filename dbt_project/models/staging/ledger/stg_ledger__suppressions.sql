with source as (
    select * from {{ source('ledger', 'suppression') }}
),

known as (
    select
        suppression_id,
        channel,
        address_hash,
        reason,
        origin,
        origin_key,
        occurred_at,
        recorded_at
    from source
    where recorded_at < {{ known_at('ledger') }}
)

select * from known
