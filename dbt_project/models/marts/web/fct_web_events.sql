with events as (
    select * from {{ ref('stg_app__events') }}
),

visits as (
    select * from {{ ref('int_app_visits') }}
),

sources as (
    select * from {{ ref('int_app_sources') }}
),

kinds as (
    select * from {{ ref('app_event_names') }}
),

contact_records as (
    select * from {{ ref('int_contact_records') }}
),

web_events as (
    select
        events.app_event_id,
        events.app_name,
        visits.session_id,
        visits.visitor_id,
        coalesce(visits.app_user_id, events.app_user_id) as app_user_id,
        contact_records.contact_id,
        events.occurred_at,
        {{ local_date('events.occurred_at') }} as event_date,
        coalesce(kinds.kind, 'other') as kind,
        events.event_name,
        events.platform,
        events.page_host,
        events.page_path,
        coalesce(events.product_id, events.sku) as product_id,
        events.category,
        events.query as search_query,
        events.form_id,
        events.step as form_step,
        events.survey_id,
        events.question,
        events.answer,
        cast(events.amount as numeric(18, 2)) as amount,
        events.currency,
        sources.source,
        sources.medium,
        sources.channel,
        sources.campaign,
        sources.content,
        sources.term,
        events.is_trusted,
        events.is_bot,
        events.is_late
    from events
    left join visits on events.app_event_id = visits.app_event_id
    left join sources on events.app_event_id = sources.app_event_id
    left join contact_records
        on coalesce(visits.app_user_id, events.app_user_id) = contact_records.record_id
    left join kinds
        on
            events.call = kinds.call
            and (kinds.event_name = '*' or lower(events.event_name) = kinds.event_name)
)

select * from web_events
