with insights as (
    select * from {{ ref('stg_meta_ads__insights_daily') }}
),

action_counts as (
    select
        insights.account_id,
        insights.ad_id,
        insights.spend_date,
        {{ sum_actions('action.element', 'link_click') }} as link_clicks_count,
        {{ sum_actions('action.element', 'landing_page_view') }} as landing_page_views_count,
        {{ sum_actions('action.element', 'add_to_cart') }} as add_to_carts_count,
        {{ sum_actions('action.element', 'purchase') }} as purchases_count
    from insights
    {{ join_json_elements('insights.actions', 'action') }}
    group by insights.account_id, insights.ad_id, insights.spend_date
),

named as (
    select
        *,
        row_number() over (partition by account_id, ad_id order by spend_date desc) as days_ago
    from insights
),

ads as (
    select
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
    from named
    group by account_id, ad_id
),

-- The vendor is silent about a day without delivery; a sum over days must not be.
ad_days as (
    select
        ads.*,
        calendar.day as spend_date
    from ads
    {{ join_days('ads.first_day', 'ads.last_day', 'calendar') }}
),

ad_spend_days as (
    select
        ad_days.account_id,
        ad_days.spend_date,
        ad_days.campaign_id,
        ad_days.campaign_name,
        ad_days.adset_id,
        ad_days.adset_name,
        ad_days.ad_id,
        ad_days.ad_name,
        coalesce(insights.impressions_count, 0) as impressions_count,
        coalesce(insights.clicks_count, 0) as clicks_count,
        cast(coalesce(action_counts.link_clicks_count, 0) as bigint) as link_clicks_count,
        cast(coalesce(action_counts.landing_page_views_count, 0) as bigint) as landing_page_views_count,
        cast(coalesce(action_counts.add_to_carts_count, 0) as bigint) as add_to_carts_count,
        cast(coalesce(action_counts.purchases_count, 0) as bigint) as purchases_count,
        cast(coalesce(insights.spend_amount, 0) as numeric(18, 2)) as spend_amount,
        coalesce(insights.currency, ad_days.currency) as currency,
        insights.ad_id is not null as is_reported
    from ad_days
    left join insights
        on
            ad_days.account_id = insights.account_id
            and ad_days.ad_id = insights.ad_id
            and ad_days.spend_date = insights.spend_date
    left join action_counts
        on
            ad_days.account_id = action_counts.account_id
            and ad_days.ad_id = action_counts.ad_id
            and ad_days.spend_date = action_counts.spend_date
)

select * from ad_spend_days
