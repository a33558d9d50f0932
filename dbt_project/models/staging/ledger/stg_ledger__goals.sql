with source as (
    select * from {{ source('ledger', 'goal_seen') }}
),

known as (
    select
        campaign,
        contact_id,
        goal_at,
        recorded_at
    from source
    where recorded_at < {{ known_at('ledger') }}
)

select * from known
