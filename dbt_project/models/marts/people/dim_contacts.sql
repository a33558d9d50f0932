with contact_records as (
    select * from {{ ref('int_contact_records') }}
),

addresses as (
    select * from {{ ref('int_contact_addresses') }}
),

time_zones as (
    select * from {{ ref('int_contact_time_zones') }}
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

ranked as (
    select
        *,
        row_number() over (partition by contact_id, source order by record_rank) as rank_in_source
    from contact_records
),

people as (
    select
        contact_id,
        min(created_at) as created_at,
        min(case when is_archived or is_merged_away then 1 else 0 end) = 1 as is_archived,
        max(case when source = 'hubspot' and rank_in_source = 1 then record_id end) as hubspot_record_id,
        max(case when source = 'salesforce' and rank_in_source = 1 then record_id end) as salesforce_record_id,
        max(case when source = 'shopify' and rank_in_source = 1 then record_id end) as shopify_record_id,
        max(case when source = 'app' and rank_in_source = 1 then record_id end) as app_user_id
    from ranked
    group by contact_id
),

contacts as (
    select
        people.contact_id,
        addresses.address as email,
        coalesce(hubspot.first_name, salesforce.first_name, shopify.first_name) as first_name,
        coalesce(hubspot.last_name, salesforce.last_name, shopify.last_name) as last_name,
        coalesce(hubspot.locale, shopify.locale) as locale,
        coalesce(hubspot.country_code, salesforce.country_code, shopify.country_code) as country_code,
        time_zones.time_zone,
        time_zones.time_zone_source,
        coalesce(hubspot.birthday, salesforce.birthday) as birthday,
        hubspot.gender,
        hubspot.province,
        coalesce(hubspot.job_title, salesforce.job_title) as job_title,
        coalesce(hubspot.phone, salesforce.phone, shopify.phone) as phone,
        coalesce(hubspot.acquisition_source, salesforce.acquisition_source) as acquisition_source,
        people.created_at,
        hubspot.hubspot_id,
        salesforce.salesforce_id,
        shopify.shopify_customer_id,
        people.app_user_id,
        people.is_archived
    from people
    left join addresses on people.contact_id = addresses.contact_id and addresses.channel = 'email'
    left join time_zones on people.contact_id = time_zones.contact_id
    left join hubspot_contacts as hubspot on people.hubspot_record_id = hubspot.record_id
    left join salesforce_people as salesforce on people.salesforce_record_id = salesforce.record_id
    left join shopify_customers as shopify on people.shopify_record_id = shopify.record_id
)

select * from contacts
