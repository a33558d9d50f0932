{#- What each platform tells beyond impressions, clicks and cost; what it does not tell stays unknown. -#}
{%- set told = {
    'meta': [
        'link_clicks_count', 'landing_page_views_count', 'add_to_carts_count', 'purchases_count',
        'claimed_conversions_count'
    ],
    'google': ['claimed_conversions_count', 'claimed_conversions_amount'],
    'tiktok': ['claimed_conversions_count', 'claimed_installs_count'],
    'linkedin': ['claimed_conversions_count', 'claimed_leads_count'],
} -%}
{%- set types = {
    'link_clicks_count': 'bigint',
    'landing_page_views_count': 'bigint',
    'add_to_carts_count': 'bigint',
    'purchases_count': 'bigint',
    'claimed_conversions_count': 'numeric(18, 6)',
    'claimed_conversions_amount': 'numeric(18, 6)',
    'claimed_installs_count': 'bigint',
    'claimed_leads_count': 'bigint',
} -%}

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

meta as (
    select
        insights.*,
        coalesce(action_counts.link_clicks_count, 0) as link_clicks_count,
        coalesce(action_counts.landing_page_views_count, 0) as landing_page_views_count,
        coalesce(action_counts.add_to_carts_count, 0) as add_to_carts_count,
        coalesce(action_counts.purchases_count, 0) as purchases_count,
        coalesce(action_counts.purchases_count, 0) as claimed_conversions_count
    from insights
    left join action_counts
        on
            insights.account_id = action_counts.account_id
            and insights.ad_id = action_counts.ad_id
            and insights.spend_date = action_counts.spend_date
),

-- One ad may stand in several ad groups; group~ad is Google's own name for one of them. A campaign in which Google
-- makes the ads itself stands for them.
google_ad_groups as (
    select * from {{ ref('stg_google_ads__ad_days') }}
),

google as (
    select
        account_id,
        campaign_id,
        campaign_name,
        adset_id,
        adset_name,
        {{ dbt.concat(['adset_id', "'~'", 'ad_id']) }} as ad_id,
        ad_name,
        spend_date,
        impressions_count,
        clicks_count,
        claimed_conversions_count,
        claimed_conversions_amount,
        spend_amount,
        currency
    from google_ad_groups
    union all
    select
        account_id,
        campaign_id,
        campaign_name,
        cast(null as {{ dbt.type_string() }}) as adset_id,
        cast(null as {{ dbt.type_string() }}) as adset_name,
        {{ dbt.concat(["'campaign~'", 'campaign_id']) }} as ad_id,
        campaign_name as ad_name,
        spend_date,
        impressions_count,
        clicks_count,
        claimed_conversions_count,
        claimed_conversions_amount,
        spend_amount,
        currency
    from {{ ref('stg_google_ads__campaign_days') }}
),

tiktok as (
    select * from {{ ref('stg_tiktok_ads__ad_days') }}
),

linkedin as (
    select
        *,
        cast(null as {{ dbt.type_string() }}) as ad_name
    from {{ ref('stg_linkedin_ads__ad_days') }}
),

ad_days as (
    {% for platform in told %}
    select
        '{{ platform }}' as platform,
        account_id,
        campaign_id,
        campaign_name,
        adset_id,
        adset_name,
        ad_id,
        ad_name,
        spend_date,
        coalesce(impressions_count, 0) as impressions_count,
        coalesce(clicks_count, 0) as clicks_count,
        {% for name, type in types.items() %}
        cast({{ name if name in told[platform] else 'null' }} as {{ type }}) as {{ name }},
        {% endfor %}
        cast(coalesce(spend_amount, 0) as numeric(18, 6)) as spend_amount,
        currency
    from {{ platform }}
    {{ 'union all' if not loop.last }}
    {% endfor %}
)

select * from ad_days
