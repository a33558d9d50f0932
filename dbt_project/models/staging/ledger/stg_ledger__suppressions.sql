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
        and not exists (
            select 1 from lifts where lifts.suppression_id = source.suppression_id
        )
)

select * from known
