with permission_events as (
    select * from {{ ref('stg_ledger__permission_events') }}
),

contact_records as (
    select * from {{ ref('int_contact_records') }}
),

-- The last word counts; of two said in the same instant, the withdrawal.
ranked as (
    select
        *,
        row_number() over (
            partition by address_hash, channel, topic
            order by occurred_at desc, case state when 'revoked' then 0 else 1 end, permission_event_id desc
        ) as recency
    from permission_events
),

contact_permissions as (
    select
        contact_records.contact_id,
        ranked.channel,
        ranked.topic,
        ranked.address_hash,
        ranked.state,
        ranked.source,
        ranked.occurred_at
    from ranked
    left join contact_records on ranked.contact_id = contact_records.alias_id
    where ranked.recency = 1
)

select * from contact_permissions
