with source as (
    select * from {{ source('ledger', 'stop') }}
),

known as (
    select
        stop_id,
        campaign,
        step,
        channel,
        contact_id,
        occurrence_key,
        reason,
        created_by,
        recorded_at
    from source
    where
        recorded_at < {{ known_at('ledger') }}
        and (lifted_at is null or lifted_at >= {{ known_at('ledger') }})
)

select * from known
