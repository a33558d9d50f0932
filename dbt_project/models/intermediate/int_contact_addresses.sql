with contact_records as (
    select * from {{ ref('int_contact_records') }}
),

hubspot_contacts as (
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

time_zones as (
    select * from {{ ref('int_contact_time_zones') }}
),

records as (
    select record_id, email, locale from hubspot_contacts
    union all
    select record_id, email, locale from shopify_customers
    union all
    select record_id, email, cast(null as {{ dbt.type_string() }}) as locale from salesforce_people
    union all
    select record_id, email, cast(null as {{ dbt.type_string() }}) as locale from app_users
),

spoken_for as (
    select
        contact_records.contact_id,
        records.email,
        row_number() over (
            partition by contact_records.contact_id
            order by case when records.email is null then 1 else 0 end, contact_records.record_rank
        ) as address_rank,
        first_value(records.locale) over (
            partition by contact_records.contact_id
            order by case when records.locale is null then 1 else 0 end, contact_records.record_rank
        ) as locale
    from records
    inner join contact_records on records.record_id = contact_records.record_id
    where not contact_records.is_archived and not contact_records.is_merged_away
),

contact_addresses as (
    select
        spoken_for.contact_id,
        'email' as channel,
        spoken_for.email as address,
        spoken_for.locale,
        time_zones.time_zone,
        {{ is_valid_email('spoken_for.email') }} as is_valid
    from spoken_for
    left join time_zones on spoken_for.contact_id = time_zones.contact_id
    where spoken_for.address_rank = 1 and spoken_for.email is not null
)

select * from contact_addresses
