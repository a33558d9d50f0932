with contact_records as (
    select * from {{ ref('int_contact_records') }}
    where not is_archived and not is_merged_away
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

country_time_zones as (
    select * from {{ ref('country_time_zones') }}
),

phone_time_zones as (
    select * from {{ ref('phone_time_zones') }}
),

countries as (
    select record_id, 'crm' as told_by, 2 as preference, country_code from hubspot_contacts
    union all
    select record_id, 'crm' as told_by, 2 as preference, country_code from salesforce_people
    union all
    select record_id, 'shop' as told_by, 3 as preference, country_code from shopify_customers
),

phones as (
    select record_id, {{ phone_digits('phone') }} as digits from hubspot_contacts
    union all
    select record_id, {{ phone_digits('phone') }} as digits from salesforce_people
    union all
    select record_id, {{ phone_digits('phone') }} as digits from shopify_customers
),

phone_prefixes as (
    {%- for length in range(1, 5) %}
    select record_id, substring(digits, 1, {{ length }}) as prefix from phones
    where length(digits) >= {{ length }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

-- The longest prefix that is listed decides, also when it says that the clocks behind it differ.
phone_zones as (
    select
        phone_prefixes.record_id,
        phone_time_zones.time_zone,
        row_number() over (
            partition by phone_prefixes.record_id order by length(phone_time_zones.prefix) desc
        ) as closeness
    from phone_prefixes
    inner join phone_time_zones on phone_prefixes.prefix = phone_time_zones.prefix
),

told as (
    select record_id, 'crm' as told_by, 1 as preference, time_zone from hubspot_contacts
    union all
    select countries.record_id, countries.told_by, countries.preference, country_time_zones.time_zone
    from countries
    inner join country_time_zones on countries.country_code = country_time_zones.country_code
    union all
    select record_id, 'phone' as told_by, 4 as preference, time_zone from phone_zones
    where closeness = 1
),

ranked as (
    select
        contact_records.contact_id,
        told.told_by,
        told.time_zone,
        row_number() over (
            partition by contact_records.contact_id order by told.preference, contact_records.record_rank
        ) as preference
    from told
    inner join contact_records on told.record_id = contact_records.record_id
    where told.time_zone is not null
),

contacts as (
    select distinct contact_id from contact_records
),

contact_time_zones as (
    select
        contacts.contact_id,
        coalesce(ranked.time_zone, '{{ var("time_zone") }}') as time_zone,
        coalesce(ranked.told_by, 'company') as time_zone_source
    from contacts
    left join ranked on contacts.contact_id = ranked.contact_id and ranked.preference = 1
)

select * from contact_time_zones
