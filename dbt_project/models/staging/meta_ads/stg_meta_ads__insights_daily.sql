with source as (
    select * from {{ as_known('meta_ads', 'insights_daily', ['account_id', 'date_start', 'ad_id']) }} as known
),

renamed as (
    select
        account_id,
        campaign_id,
        campaign_name,
        adset_id,
        adset_name,
        ad_id,
        ad_name,
        {{ parse_date('date_start') }} as spend_date,
        cast({{ parse_number('impressions') }} as bigint) as impressions_count,
        cast({{ parse_number('clicks') }} as bigint) as clicks_count,
        cast({{ parse_number('spend') }} as numeric(18, 2)) as spend_amount,
        upper(account_currency) as currency,
        actions
    from source
)

-- Days are the ad account's; the day in which the run's time stands is still being counted.
select * from renamed
where spend_date <= {{ last_day_before(as_of()) }}
