with calls as (
    select * from {{ ref('stg_app__events') }}
    where is_trusted and call = 'identify' and app_user_id is not null
),

ranked as (
    select
        app_user_id as record_id,
        email,
        min(occurred_at) over (partition by app_user_id) as created_at,
        row_number() over (
            partition by app_user_id
            order by case when email is null then 1 else 0 end, occurred_at desc, app_event_id
        ) as recency
    from calls
),

users as (
    select record_id, email, created_at
    from ranked
    where recency = 1
)

select * from users
