with statuses as (
    select * from {{ ref('stg_hubspot__subscription_statuses') }}
),

topics as (
    select * from {{ ref('subscription_topics') }}
),

customers as (
    select * from {{ ref('stg_shopify__customers') }}
),

opt_outs as (
    select * from {{ ref('stg_salesforce__opt_outs') }}
),

server_consents as (
    select * from {{ ref('int_server_consents') }}
),

contacts as (
    select * from {{ ref('dim_contacts') }}
),

orders as (
    select * from {{ ref('fct_orders') }}
),

first_purchases as (
    select contact_id, min(ordered_at) as ordered_at
    from orders
    where is_purchase_when_placed and contact_id is not null
    group by contact_id
),

-- What each vendor says, in one vocabulary. What is neither yes nor no is no statement.
vendor_statements as (
    select
        statuses.channel,
        topics.topic,
        statuses.email as address,
        case statuses.status when 'SUBSCRIBED' then 'granted' when 'UNSUBSCRIBED' then 'revoked' end as word,
        'hubspot' as source,
        statuses.subscription_id as statement_of,
        -- A form with a legal basis is somebody's own act; any other flag may come from a list that was imported.
        case
            when statuses.form = 'FORM' and statuses.legal_basis like 'CONSENT%' then 'single_opt_in'
            else 'imported_flag'
        end as evidence,
        statuses.legal_basis as text_version,
        statuses.form,
        statuses.stated_at,
        cast(null as {{ type_timestamp_tz() }}) as confirmed_at,
        statuses.learned_at
    from statuses
    inner join topics on statuses.subscription_id = topics.subscription_id and topics.source = 'hubspot'
    union all
    select
        'email' as channel,
        'marketing' as topic,
        email as address,
        case consent_state when 'SUBSCRIBED' then 'granted' when 'UNSUBSCRIBED' then 'revoked' end as word,
        'shopify' as source,
        shopify_customer_id as statement_of,
        case opt_in_level
            when 'CONFIRMED_OPT_IN' then 'confirmed_opt_in'
            when 'SINGLE_OPT_IN' then 'single_opt_in'
            else 'imported_flag'
        end as evidence,
        cast(null as {{ dbt.type_string() }}) as text_version,
        'shop' as form,
        consent_stated_at as stated_at,
        case opt_in_level when 'CONFIRMED_OPT_IN' then consent_stated_at end as confirmed_at,
        learned_at
    from customers
    union all
    select
        'email' as channel,
        'marketing' as topic,
        email as address,
        'revoked' as word,
        'salesforce' as source,
        record_id as statement_of,
        'imported_flag' as evidence,
        cast(null as {{ dbt.type_string() }}) as text_version,
        'crm' as form,
        stated_at,
        cast(null as {{ type_timestamp_tz() }}) as confirmed_at,
        learned_at
    from opt_outs
    union all
    select
        channel, topic, address, word, 'app' as source, statement_of, evidence, text_version, form, stated_at,
        confirmed_at, learned_at
    from server_consents
),

-- A yes without a time proves nothing; a no without a time holds from when we learned of it.
dated_statements as (
    select
        *,
        case when word = 'revoked' then coalesce(stated_at, learned_at) else stated_at end as occurred_at
    from vendor_statements
    where word is not null and address is not null
),

implied as (
    select 'purchase' as source, 'purchase' as evidence
    union all
    select 'country_default' as source, 'nothing' as evidence
),

-- What a country's law reads into a purchase or into silence was said by nobody. It stands at the beginning of time,
-- so that any word that was ever said, or is still to be learned of, counts more.
implied_statements as (
    select
        'email' as channel,
        'marketing' as topic,
        contacts.email as address,
        'granted' as word,
        implied.source,
        contacts.contact_id as statement_of,
        implied.evidence,
        cast(null as {{ dbt.type_string() }}) as text_version,
        cast(null as {{ dbt.type_string() }}) as form,
        case implied.evidence when 'purchase' then first_purchases.ordered_at else contacts.created_at end as stated_at,
        cast(null as {{ type_timestamp_tz() }}) as confirmed_at,
        contacts.created_at as learned_at,
        cast('1970-01-01T00:00:00Z' as {{ type_timestamp_tz() }}) as occurred_at
    from contacts
    left join first_purchases on contacts.contact_id = first_purchases.contact_id
    cross join implied
    where contacts.email is not null and not contacts.is_archived
),

permission_statements as (
    select * from dated_statements
    union all
    select * from implied_statements
    where stated_at is not null
)

-- A yes from the future would outlive every withdrawal until then. It counts once its time has come.
select * from permission_statements
where occurred_at is not null and (word = 'revoked' or occurred_at < {{ as_of() }})
