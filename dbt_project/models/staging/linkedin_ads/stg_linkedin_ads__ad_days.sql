with source as (
    select * from {{ as_known('linkedin_ads', 'ad_days', ['account_id', 'start_date', 'pivot_values']) }} as known
),

accounts as (
    select * from {{ as_known('linkedin_ads', 'accounts', ['id']) }} as known
),

campaigns as (
    select
        id,
        name,
        {{ dbt.split_part('campaign_group', "':'", 4) }} as group_id
    from {{ as_known('linkedin_ads', 'campaigns', ['id']) }} as known
),

campaign_groups as (
    select * from {{ as_known('linkedin_ads', 'campaign_groups', ['id']) }} as known
),

-- A name such as urn:li:sponsoredCampaign:5 has the id at its end.
renamed as (
    select
        account_id,
        {{ dbt.split_part(json_text('pivot_values', ['0']), "':'", 4) }} as adset_id,
        {{ dbt.split_part(json_text('pivot_values', ['1']), "':'", 4) }} as ad_id,
        {{ parse_date('start_date') }} as spend_date,
        coalesce(impressions, 0) as impressions_count,
        coalesce(clicks, 0) as clicks_count,
        cast({{ parse_number('cost_in_local_currency') }} as numeric(18, 6)) as spend_amount,
        cast(coalesce(external_website_conversions, 0) as numeric(18, 6)) as claimed_conversions_count,
        coalesce(one_click_leads, 0) as claimed_leads_count
    from source
),

ended as (
    select * from renamed
    where spend_date < {{ date_in_zone(as_of(), "'UTC'") }}
),

named as (
    select
        ended.account_id,
        campaigns.group_id as campaign_id,
        campaign_groups.name as campaign_name,
        ended.adset_id,
        campaigns.name as adset_name,
        ended.ad_id,
        ended.spend_date,
        ended.impressions_count,
        ended.clicks_count,
        ended.spend_amount,
        upper(accounts.currency) as currency,
        ended.claimed_conversions_count,
        ended.claimed_leads_count
    from ended
    left join accounts on ended.account_id = accounts.id
    left join campaigns on ended.adset_id = campaigns.id
    left join campaign_groups on campaigns.group_id = campaign_groups.id
)

select * from named
