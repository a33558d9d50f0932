with source as (
    select * from {{ source('ledger', 'plan_result') }}
),

known as (
    select
        run_id,
        campaign,
        step,
        contact_id,
        occurrence_key,
        result,
        action_id,
        recorded_at
    from source
    where recorded_at < {{ known_at('ledger') }}
)

select * from known
