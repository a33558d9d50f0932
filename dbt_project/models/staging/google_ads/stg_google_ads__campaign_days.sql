with source as (
    select *
    from {{ as_known('google_ads', 'campaign_days', ['customer_id', 'segments_date', 'campaign_id']) }} as known
),

renamed as (
    select
        customer_id as account_id,
        campaign_id,
        campaign_name,
        {{ parse_date('segments_date') }} as spend_date,
        {{ parse_time_zone('time_zone') }} as time_zone,
        coalesce(impressions, 0) as impressions_count,
        coalesce(clicks, 0) as clicks_count,
        cast(cost_micros as numeric(24, 6)) / 1000000 as cost,
        upper(currency_code) as currency,
        cast(coalesce(conversions, 0) as numeric(18, 6)) as claimed_conversions_count,
        cast(coalesce(conversions_value, 0) as numeric(18, 6)) as claimed_conversions_amount
    from source
),

-- The account's own day must be over.
ended as (
    select
        account_id,
        campaign_id,
        campaign_name,
        spend_date,
        impressions_count,
        clicks_count,
        cast(cost as numeric(18, 6)) as spend_amount,
        currency,
        claimed_conversions_count,
        claimed_conversions_amount
    from renamed
    where spend_date < {{ date_in_zone(as_of(), 'time_zone') }}
)

select * from ended
