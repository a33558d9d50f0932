with customers as (
    select * from {{ ref('stg_shopify__customers') }}
),

-- Shopify marks an address that it has found undeliverable, and a person whose data it has erased.
suppression_changes as (
    select
        'email' as channel,
        email as address,
        case consent_state when 'INVALID' then 'invalid_address' when 'REDACTED' then 'erased' end as reason,
        'shopify' as origin,
        {{ dbt.hash(dbt.concat(["shopify_customer_id", "'|'", "consent_state", "'|'", "email"])) }} as origin_key,
        coalesce(consent_stated_at, learned_at) as occurred_at
    from customers
    where consent_state in ('INVALID', 'REDACTED') and email is not null
)

select * from suppression_changes
