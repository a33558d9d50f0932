with contact_records as (
    select * from {{ ref('int_contact_records') }}
),

hubspot_contacts as (
    select * from {{ ref('stg_hubspot__contacts') }}
),

shopify_customers as (
    select * from {{ ref('stg_shopify__customers') }}
),

records as (
    select record_id, email, locale, time_zone from hubspot_contacts
    union all
    select record_id, email, locale, cast(null as {{ dbt.type_string() }}) as time_zone from shopify_customers
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
        ) as locale,
        first_value(records.time_zone) over (
            partition by contact_records.contact_id
            order by case when records.time_zone is null then 1 else 0 end, contact_records.record_rank
        ) as time_zone
    from records
    inner join contact_records on records.record_id = contact_records.record_id
    where not contact_records.is_archived and not contact_records.is_merged_away
),

contact_addresses as (
    select
        contact_id,
        'email' as channel,
        email as address,
        locale,
        time_zone,
        {{ is_valid_email('email') }} as is_valid
    from spoken_for
    where address_rank = 1 and email is not null
)

select * from contact_addresses
