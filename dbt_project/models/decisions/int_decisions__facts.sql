{{ config(materialized='view', schema='intermediate') }}

with candidates as (
    select * from {{ ref('int_decisions__candidates') }}
),

campaigns as (
    select * from {{ ref('int_decisions__campaigns') }}
),

stopped as (
    select * from {{ ref('int_decisions__stopped') }}
),

addresses as (
    select * from {{ ref('stg_ledger__addresses') }}
),

suppressed_addresses as (
    select channel, address_hash, min(reason) as reason
    from {{ ref('stg_ledger__suppressions') }}
    group by channel, address_hash
),

permissions as (
    select * from {{ ref('int_decisions__permissions') }}
),

reached_goals as (
    select * from {{ ref('int_decisions__reached_goals') }}
),

message_counts as (
    select * from {{ ref('int_decisions__message_counts') }}
),

-- The ledger keeps one message per step, occurrence and address, whoever it is for and whatever became of it.
written_addresses as (
    select campaign, step, occurrence_key, channel, address_hash
    from {{ source('ledger', 'message') }}
    where recorded_at < {{ known_at('ledger') }}
),

facts as (
    select
        candidates.*,
        {{ dbt.dateadd('second', 'campaigns.max_lag_seconds', 'candidates.due_at') }} as expires_at,
        campaigns.class,
        campaigns.class = 'marketing' as is_marketing,
        campaigns.topic,
        campaigns.priority,
        campaigns.max_lag,
        campaigns.goal,
        campaigns.is_blocked,
        stopped.reason as stop_reason,
        addresses.address_hash,
        addresses.is_valid as is_address_valid,
        addresses.locale,
        suppressed_addresses.reason as suppression_reason,
        permissions.is_granted,
        permissions.pending_at,
        reached_goals.goal_at,
        {%- for ordinal in caps_of_run() | map(attribute='ordinal') | unique %}
        coalesce(message_counts.cap_{{ ordinal }}_count, 0) as cap_{{ ordinal }}_count,
        {%- endfor %}
        written_addresses.address_hash is not null as is_address_written
    from candidates
    inner join campaigns on candidates.campaign = campaigns.campaign
    left join stopped
        on
            candidates.campaign = stopped.campaign
            and candidates.step = stopped.step
            and candidates.contact_id = stopped.contact_id
            and candidates.occurrence_key = stopped.occurrence_key
    left join addresses
        on candidates.person_id = addresses.contact_id and candidates.channel = addresses.channel
    left join suppressed_addresses
        on
            addresses.address_hash = suppressed_addresses.address_hash
            and addresses.channel = suppressed_addresses.channel
    left join permissions
        on
            addresses.address_hash = permissions.address_hash
            and addresses.channel = permissions.channel
            and campaigns.topic = permissions.topic
    left join reached_goals
        on
            candidates.campaign = reached_goals.campaign
            and candidates.contact_id = reached_goals.contact_id
            and candidates.occurrence_key = reached_goals.occurrence_key
    left join message_counts on candidates.person_id = message_counts.person_id
    left join written_addresses
        on
            candidates.campaign = written_addresses.campaign
            and candidates.step = written_addresses.step
            and candidates.occurrence_key = written_addresses.occurrence_key
            and addresses.channel = written_addresses.channel
            and addresses.address_hash = written_addresses.address_hash
)

select * from facts
