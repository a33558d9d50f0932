{#- Counts that are zero on a day on which the ad was not shown. -#}
{%- set counts = {
    'impressions_count': 'bigint',
    'clicks_count': 'bigint',
    'link_clicks_count': 'bigint',
    'landing_page_views_count': 'bigint',
    'add_to_carts_count': 'bigint',
    'purchases_count': 'bigint',
    'claimed_conversions_count': 'numeric(18, 6)',
    'claimed_installs_count': 'bigint',
    'claimed_leads_count': 'bigint',
} -%}

with told_days as (
    select * from {{ ref('int_ad_days') }}
),

rates as (
    select * from {{ ref('int_exchange_rates') }}
),

ranked as (
    select
        *,
        row_number() over (partition by platform, account_id, ad_id order by spend_date desc) as days_ago
    from told_days
),

ads as (
    select
        platform,
        account_id,
        ad_id,
        min(spend_date) as first_day,
        max(spend_date) as last_day,
        max(case when days_ago = 1 then currency end) as currency,
        max(case when days_ago = 1 then campaign_id end) as campaign_id,
        max(case when days_ago = 1 then campaign_name end) as campaign_name,
        max(case when days_ago = 1 then adset_id end) as adset_id,
        max(case when days_ago = 1 then adset_name end) as adset_name,
        max(case when days_ago = 1 then ad_name end) as ad_name
    from ranked
    group by platform, account_id, ad_id
),

-- The platforms are silent about a day without delivery; a sum over days must not be.
ad_days as (
    select
        ads.*,
        calendar.day as spend_date
    from ads
    {{ join_days('ads.first_day', 'ads.last_day', 'calendar') }}
),

filled as (
    select
        ad_days.platform,
        ad_days.account_id,
        ad_days.spend_date,
        ad_days.campaign_id,
        ad_days.campaign_name,
        ad_days.adset_id,
        ad_days.adset_name,
        ad_days.ad_id,
        ad_days.ad_name,
        {% for name, type in counts.items() %}
        cast(case when told_days.ad_id is null then 0 else told_days.{{ name }} end as {{ type }}) as {{ name }},
        {% endfor %}
        told_days.claimed_conversions_amount,
        coalesce(told_days.spend_amount, 0) as account_spend_amount,
        coalesce(told_days.currency, ad_days.currency) as account_currency,
        told_days.ad_id is not null as is_reported
    from ad_days
    left join told_days
        on
            ad_days.platform = told_days.platform
            and ad_days.account_id = told_days.account_id
            and ad_days.ad_id = told_days.ad_id
            and ad_days.spend_date = told_days.spend_date
),

ad_spend_days as (
    select
        filled.platform,
        filled.account_id,
        filled.spend_date,
        filled.campaign_id,
        filled.campaign_name,
        filled.adset_id,
        filled.adset_name,
        filled.ad_id,
        filled.ad_name,
        {% for name in counts %}
        filled.{{ name }},
        {% endfor %}
        cast(filled.claimed_conversions_amount * rates.exchange_rate as numeric(18, 6)) as claimed_conversions_amount,
        cast(filled.account_spend_amount * rates.exchange_rate as numeric(18, 6)) as spend_amount,
        '{{ var("currency") }}' as currency,
        cast(filled.account_spend_amount as numeric(18, 6)) as account_spend_amount,
        filled.account_currency,
        cast(rates.exchange_rate as numeric(18, 8)) as exchange_rate,
        filled.is_reported
    from filled
    left join rates
        on
            filled.account_currency = rates.currency
            and filled.spend_date >= rates.valid_from
            and (rates.valid_before is null or filled.spend_date < rates.valid_before)
)

select * from ad_spend_days
