with source as (
    select * from {{ source('ledger', 'contact_alias') }}
),

known as (
    select
        alias_id,
        contact_id,
        from_sequence
    from source
    where
        from_sequence <= {{ pinned().sequence }}
        and (until_sequence is null or until_sequence > {{ pinned().sequence }})
)

select * from known
