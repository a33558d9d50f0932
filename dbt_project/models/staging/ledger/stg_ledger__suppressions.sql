with source as (
    select * from {{ source('ledger', 'suppression') }}
),

-- A suppression that somebody has lifted does not hold any more, for runs that know of it.
lifts as (
    select suppression_id
    from {{ source('ledger', 'suppression_lift') }}
    where recorded_at < {{ known_at('ledger') }}
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
    where
        recorded_at < {{ known_at('ledger') }}
        and suppression_id not in (select lifts.suppression_id from lifts)
)

select * from known
