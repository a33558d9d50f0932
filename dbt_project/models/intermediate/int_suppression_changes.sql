with customers as (
    select * from {{ ref('stg_shopify__customers') }}
),

contacts as (
    select * from {{ ref('stg_hubspot__contacts') }}
),

-- Shopify marks an address that it has found undeliverable, and a person whose data it has erased.
shop_suppressions as (
    select
        'email' as channel,
        email as address,
        case consent_state when 'INVALID' then 'invalid_address' when 'REDACTED' then 'erased' end as reason,
        'shopify' as origin,
        {{ dbt.hash(dbt.concat(["shopify_customer_id", "'|'", "consent_state", "'|'", "email"])) }} as origin_key,
        coalesce(consent_stated_at, learned_at) as occurred_at
    from customers
    where consent_state in ('INVALID', 'REDACTED') and email is not null
),

-- The CRM knows who has died. The date is that of the record's last change: the vendor tells no other.
crm_suppressions as (
    select
        'email' as channel,
        email as address,
        'deceased' as reason,
        'hubspot' as origin,
        {{ dbt.hash(dbt.concat(["hubspot_id", "'|deceased|'", "email"])) }} as origin_key,
        updated_at as occurred_at
    from contacts
    where is_deceased and email is not null
),

suppression_changes as (
    select * from shop_suppressions
    union all
    select * from crm_suppressions
)

select * from suppression_changes
