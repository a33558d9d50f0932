with emails as (
    select
        id as engagement_id,
        'email' as kind,
        {{ parse_instant('properties__hs_timestamp') }} as happens_at,
        lower(properties__hs_email_direction) like 'incoming%' as is_incoming,
        lower({{ parse_text('properties__hs_email_status') }}) as status,
        cast(null as {{ dbt.type_numeric() }}) as duration_seconds,
        {{ parse_text('properties__hubspot_owner_id') }} as owner_id,
        coalesce(created_at, _dlt_valid_from) as created_at,
        coalesce(archived, false) or coalesce(_deleted, false) as is_archived
    from {{ as_known('hubspot', 'emails', ['id'], modified_at='updated_at', with_deleted=true) }} as known
),

calls as (
    select
        id as engagement_id,
        'call' as kind,
        {{ parse_instant('properties__hs_timestamp') }} as happens_at,
        lower(properties__hs_call_direction) = 'inbound' as is_incoming,
        lower({{ parse_text('properties__hs_call_status') }}) as status,
        cast({{ parse_number('properties__hs_call_duration') }} / 1000 as {{ dbt.type_numeric() }}) as duration_seconds,
        {{ parse_text('properties__hubspot_owner_id') }} as owner_id,
        coalesce(created_at, _dlt_valid_from) as created_at,
        coalesce(archived, false) or coalesce(_deleted, false) as is_archived
    from {{ as_known('hubspot', 'calls', ['id'], modified_at='updated_at', with_deleted=true) }} as known
),

meetings as (
    select
        id as engagement_id,
        'meeting' as kind,
        {{ parse_instant('properties__hs_timestamp') }} as happens_at,
        cast(null as boolean) as is_incoming,
        lower({{ parse_text('properties__hs_meeting_outcome') }}) as status,
        cast(null as {{ dbt.type_numeric() }}) as duration_seconds,
        {{ parse_text('properties__hubspot_owner_id') }} as owner_id,
        coalesce(created_at, _dlt_valid_from) as created_at,
        coalesce(archived, false) or coalesce(_deleted, false) as is_archived
    from {{ as_known('hubspot', 'meetings', ['id'], modified_at='updated_at', with_deleted=true) }} as known
),

tasks as (
    select
        id as engagement_id,
        'task' as kind,
        {{ parse_instant('properties__hs_timestamp') }} as happens_at,
        cast(null as boolean) as is_incoming,
        lower({{ parse_text('properties__hs_task_status') }}) as status,
        cast(null as {{ dbt.type_numeric() }}) as duration_seconds,
        {{ parse_text('properties__hubspot_owner_id') }} as owner_id,
        coalesce(created_at, _dlt_valid_from) as created_at,
        coalesce(archived, false) or coalesce(_deleted, false) as is_archived
    from {{ as_known('hubspot', 'tasks', ['id'], modified_at='updated_at', with_deleted=true) }} as known
),

united as (
    select * from emails
    union all
    select * from calls
    union all
    select * from meetings
    union all
    select * from tasks
),

known_by_now as (
    select *
    from united
    where created_at < {{ as_of() }}
)

select * from known_by_now
