with events as (
    select * from {{ ref('stg_app__events') }}
    where is_trusted and app_user_id is not null
),

statements as (
    select
        *,
        case lower(event_name) when 'consent given' then 'granted' when 'consent withdrawn' then 'revoked' end as word
    from events
    where call = 'track' and lower(event_name) in ('consent given', 'consent withdrawn')
),

-- The address that the user had then: a newer one has agreed to nothing yet.
addressed as (
    select
        statements.*,
        told.email as address,
        row_number() over (
            partition by statements.app_event_id
            order by told.occurred_at desc, told.app_event_id
        ) as recency
    from statements
    inner join events as told
        on statements.app_user_id = told.app_user_id and told.occurred_at <= statements.occurred_at
    where told.email is not null
),

consents as (
    select
        coalesce(consent_channel, 'email') as channel,
        coalesce(consent_topic, 'marketing') as topic,
        address,
        word,
        app_user_id as statement_of,
        case when confirmed_at is not null then 'confirmed_opt_in' else 'single_opt_in' end as evidence,
        text_version,
        form_id as form,
        occurred_at as stated_at,
        confirmed_at,
        recorded_at as learned_at
    from addressed
    where recency = 1
)

select * from consents
