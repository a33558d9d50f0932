with source as (
    select * from {{ source('ledger', 'address') }}
),

known as (
    select
        contact_id,
        channel,
        address,
        address_hash,
        address_key_id,
        is_valid,
        locale,
        time_zone,
        from_sequence
    from source
    where
        from_sequence <= {{ pinned().sequence }}
        and (until_sequence is null or until_sequence > {{ pinned().sequence }})
)

select * from known
