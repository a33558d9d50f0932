{{ config(materialized='view', schema='intermediate') }}

with topics as (
    select distinct topic from {{ ref('int_decisions__campaigns') }}
),

permission_events as (
    select * from {{ ref('stg_ledger__permission_events') }}
),

-- Topic `all` speaks about every topic. The latest word counts; at the same instant the withdrawal does. What is
-- pending says neither yes nor no, but tells why the answer is no.
permissions as (
    select
        permission_events.channel,
        permission_events.address_hash,
        topics.topic,
        max(case when permission_events.state = 'granted' then permission_events.occurred_at end) as granted_at,
        max(case when permission_events.state = 'revoked' then permission_events.occurred_at end) as revoked_at,
        max(case when permission_events.state = 'pending' then permission_events.occurred_at end) as pending_at
    from permission_events
    inner join topics
        on permission_events.topic = topics.topic or permission_events.topic = 'all'
    group by permission_events.channel, permission_events.address_hash, topics.topic
)

select
    *,
    case
        when granted_at is not null or revoked_at is not null
            then coalesce(granted_at > revoked_at, granted_at is not null)
    end as is_granted
from permissions
