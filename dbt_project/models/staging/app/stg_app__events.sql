with source as (
    select * from {{ source('ledger', 'app_event') }}
),

known as (
    select
        {{ dbt.concat(["key_name", "':'", "event_id"]) }} as app_event_id,
        key_name as app_name,
        key_kind = 'server' as is_trusted,
        call,
        event_name,
        user_id as app_user_id,
        anonymous_id as device_id,
        email,
        occurred_at,
        received_at,
        is_late,
        is_bot,
        page_host,
        page_path,
        referrer_host,
        lower({{ json_text('campaign', ['source']) }}) as utm_source,
        lower({{ json_text('campaign', ['medium']) }}) as utm_medium,
        {{ json_text('campaign', ['campaign']) }} as utm_campaign,
        {{ json_text('campaign', ['content']) }} as utm_content,
        {{ json_text('campaign', ['term']) }} as utm_term,
        click_id_name,
        coalesce(platform, case when page_host is not null then 'web' end) as platform,
        app_version,
        locale,
        time_zone,
        push_token,
        {% for name in [
            'product_id', 'sku', 'category', 'query', 'form_id', 'step', 'survey_id', 'question', 'answer', 'text_version'
        ] -%}
        {{ parse_text(json_text('properties', [name])) }} as {{ name }},
        {% endfor -%}
        {{ parse_number("coalesce(" ~ [
            json_text('properties', ['revenue']),
            json_text('properties', ['total']),
            json_text('properties', ['value']),
            json_text('properties', ['price'])
        ] | join(", ") ~ ")") }} as amount,
        upper({{ json_text('properties', ['currency']) }}) as currency,
        {{ parse_text(json_text('properties', ['channel'])) }} as consent_channel,
        {{ parse_text(json_text('properties', ['topic'])) }} as consent_topic,
        {{ parse_instant(json_text('properties', ['confirmed_at'])) }} as confirmed_at,
        recorded_at
    from source
    where recorded_at < {{ known_at('ledger') }} and occurred_at < {{ as_of() }}
)

select * from known
