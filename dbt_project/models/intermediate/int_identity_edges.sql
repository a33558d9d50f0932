with hubspot_contacts as (
    select * from {{ ref('stg_hubspot__contacts') }}
),

shopify_customers as (
    select * from {{ ref('stg_shopify__customers') }}
),

salesforce_people as (
    select * from {{ ref('stg_salesforce__people') }}
),

app_users as (
    select * from {{ ref('int_app_users') }}
),

records as (
    select record_id, 'hubspot' as source, email, created_at, is_archived
    from hubspot_contacts
    union all
    select record_id, 'salesforce' as source, email, created_at, is_archived
    from salesforce_people
    union all
    select record_id, 'shopify' as source, email, created_at, is_archived
    from shopify_customers
    union all
    select record_id, 'app' as source, email, created_at, false as is_archived
    from app_users
),

absorptions as (
    select distinct
        contacts.record_id as surviving_record_id,
        {{ dbt.concat(["'hubspot:'", "trim(merged.part)"]) }} as record_id
    from hubspot_contacts as contacts
    {{ join_parts('contacts.merged_hubspot_ids', ';', 'merged') }}
    where trim(merged.part) <> ''
    union
    select
        absorbed_by_record_id as surviving_record_id,
        record_id
    from salesforce_people
    where absorbed_by_record_id is not null
),

-- A contact that was merged away before we ever saw it still has an id that others may know it by.
unseen_records as (
    select distinct absorptions.record_id
    from absorptions
    left join records on absorptions.record_id = records.record_id
    where records.record_id is null
),

edges as (
    select record_id, source, 'record' as identifier_type, record_id as identifier, created_at, is_archived
    from records
    union all
    select
        record_id,
        'hubspot' as source,
        'record' as identifier_type,
        record_id as identifier,
        cast(null as {{ type_timestamp_tz() }}) as created_at,
        true as is_archived
    from unseen_records
    union all
    select
        record_id,
        source,
        'email' as identifier_type,
        {{ dbt.concat(["'email:'", "email"]) }} as identifier,
        created_at,
        is_archived
    from records
    where {{ is_valid_email('email') }}
    union all
    select
        records.record_id,
        records.source,
        'merged_record' as identifier_type,
        absorptions.record_id as identifier,
        records.created_at,
        records.is_archived
    from absorptions
    inner join records on absorptions.surviving_record_id = records.record_id
)

select * from edges
