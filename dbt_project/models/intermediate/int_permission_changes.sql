with statuses as (
    select * from {{ ref('stg_hubspot__subscription_statuses') }}
),

topics as (
    select * from {{ ref('subscription_topics') }}
),

customers as (
    select * from {{ ref('stg_shopify__customers') }}
),

edges as (
    select * from {{ ref('int_identity_edges') }}
),

contact_records as (
    select * from {{ ref('int_contact_records') }}
),

-- What each vendor says, in one vocabulary. What is neither yes nor no is no statement.
statements as (
    select
        statuses.channel,
        topics.topic,
        statuses.email as address,
        case statuses.status when 'SUBSCRIBED' then 'granted' when 'UNSUBSCRIBED' then 'revoked' end as state,
        'hubspot' as source,
        statuses.subscription_id as statement_of,
        statuses.stated_at,
        statuses.learned_at
    from statuses
    inner join topics on statuses.subscription_id = topics.subscription_id and topics.source = 'hubspot'
    union all
    select
        'email' as channel,
        'marketing' as topic,
        email as address,
        case consent_state when 'SUBSCRIBED' then 'granted' when 'UNSUBSCRIBED' then 'revoked' end as state,
        'shopify' as source,
        shopify_customer_id as statement_of,
        consent_stated_at as stated_at,
        learned_at
    from customers
),

-- A yes without a time proves nothing; a no without a time holds from when we learned of it.
dated as (
    select
        *,
        case when state = 'revoked' then coalesce(stated_at, learned_at) else stated_at end as occurred_at
    from statements
    where state is not null and address is not null
),

keyed as (
    select
        channel,
        topic,
        address,
        state,
        source,
        {{ dbt.hash(dbt.concat([
            "source", "'|'", "statement_of", "'|'", "topic", "'|'", "address", "'|'", "state", "'|'",
            write_instant('occurred_at')
        ])) }} as source_key,
        occurred_at
    from dated
    where occurred_at is not null
),

address_owners as (
    select distinct edges.identifier, contact_records.contact_id
    from edges
    inner join contact_records on edges.record_id = contact_records.record_id
    where edges.identifier_type = 'email'
),

-- One address spelled in two ways, or one subscription asked about twice, is one statement.
permission_changes as (
    select distinct
        keyed.channel,
        keyed.topic,
        keyed.address,
        address_owners.contact_id,
        keyed.state,
        keyed.source,
        keyed.source_key,
        keyed.occurred_at
    from keyed
    left join address_owners on {{ dbt.concat(["'email:'", "keyed.address"]) }} = address_owners.identifier
)

select * from permission_changes
