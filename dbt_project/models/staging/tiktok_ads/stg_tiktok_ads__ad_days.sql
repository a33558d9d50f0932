with source as (
    select * from {{ as_known('tiktok_ads', 'ad_days', ['advertiser_id', 'stat_date', 'ad_id']) }} as known
),

advertisers as (
    select
        advertiser_id,
        {{ parse_time_zone('timezone') }} as time_zone
    from {{ as_known('tiktok_ads', 'advertisers', ['advertiser_id']) }} as known
),

renamed as (
    select
        source.advertiser_id as account_id,
        source.campaign_id,
        source.campaign_name,
        source.adgroup_id as adset_id,
        source.adgroup_name as adset_name,
        source.ad_id,
        source.ad_name,
        {{ parse_date('source.stat_date') }} as spend_date,
        cast(coalesce({{ parse_number('source.impressions') }}, 0) as bigint) as impressions_count,
        cast(coalesce({{ parse_number('source.clicks') }}, 0) as bigint) as clicks_count,
        cast({{ parse_number('source.spend') }} as numeric(18, 6)) as spend_amount,
        upper(source.currency) as currency,
        cast(coalesce({{ parse_number('source.conversion') }}, 0) as numeric(18, 6)) as claimed_conversions_count,
        cast(coalesce({{ parse_number('source.app_install') }}, 0) as bigint) as claimed_installs_count,
        advertisers.time_zone
    from source
    left join advertisers on source.advertiser_id = advertisers.advertiser_id
),

-- The advertiser's own day must be over.
ended as (
    select
        account_id,
        campaign_id,
        campaign_name,
        adset_id,
        adset_name,
        ad_id,
        ad_name,
        spend_date,
        impressions_count,
        clicks_count,
        spend_amount,
        currency,
        claimed_conversions_count,
        claimed_installs_count
    from renamed
    where spend_date < {{ date_in_zone(as_of(), 'time_zone') }}
)

select * from ended
