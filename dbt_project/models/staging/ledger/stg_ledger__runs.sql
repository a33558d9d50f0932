with source as (
    select * from {{ source('ledger', 'run') }}
),

known as (
    select
        run_id,
        sequence as run_sequence,
        cadence,
        dag_id,
        airflow_run_id,
        as_of,
        known_at,
        rules_version,
        pinned_at
    from source
    where pinned_at < {{ known_at('ledger') }} or run_id = '{{ pinned().run_id }}'
)

select * from known
