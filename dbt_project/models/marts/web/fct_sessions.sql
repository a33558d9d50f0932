with events as (
    select * from {{ ref('fct_web_events') }}
    where session_id is not null
),

ordered as (
    select
        *,
        row_number() over (partition by session_id order by occurred_at, app_event_id) as event_number,
        row_number() over (
            partition by session_id
            order by case when page_path is null then 1 else 0 end, occurred_at, app_event_id
        ) as page_number,
        row_number() over (
            partition by session_id
            order by case when source is null then 1 else 0 end, occurred_at, app_event_id
        ) as source_number,
        row_number() over (
            partition by session_id
            order by case when app_user_id is null then 1 else 0 end, occurred_at desc, app_event_id
        ) as user_number
    from events
),

sessions as (
    select
        session_id,
        min(visitor_id) as visitor_id,
        max(case when user_number = 1 then app_user_id end) as app_user_id,
        max(case when user_number = 1 then contact_id end) as contact_id,
        max(case when event_number = 1 then app_name end) as app_name,
        max(case when event_number = 1 then platform end) as platform,
        min(occurred_at) as started_at,
        max(occurred_at) as ended_at,
        {{ local_date('min(occurred_at)') }} as session_date,
        cast({{ dbt.datediff('min(occurred_at)', 'max(occurred_at)', 'second') }} as bigint) as duration_seconds,
        max(case when page_number = 1 then page_host end) as landing_host,
        max(case when page_number = 1 then page_path end) as landing_path,
        coalesce(max(case when source_number = 1 then source end), '(direct)') as source,
        coalesce(max(case when source_number = 1 then medium end), '(none)') as medium,
        coalesce(max(case when source_number = 1 then channel end), 'direct') as channel,
        max(case when source_number = 1 then campaign end) as campaign,
        max(case when source_number = 1 then content end) as content,
        max(case when source_number = 1 then term end) as term,
        count(*) as events_count,
        {% for name, kind in {
            'page_views': 'page view',
            'product_views': 'product view',
            'category_views': 'category view',
            'searches': 'search',
            'cart_additions': 'add to cart',
            'form_steps': 'form step',
        }.items() -%}
        count(case when kind = '{{ kind }}' then 1 end) as {{ name }}_count,
        {% endfor -%}
        max(case when kind = 'order' then 1 else 0 end) = 1 as has_order
    from ordered
    group by session_id
)

select * from sessions
