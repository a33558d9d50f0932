with stages as (
    select * from {{ ref('fct_lifecycle_stages') }}
),

bounds as (
    select
        {{ local_date('min(entered_at)') }} as first_day,
        {{ last_day_before(as_of()) }} as last_day
    from stages
),

days as (
    select
        calendar.day as stage_date,
        {{ local_midnight(dbt.dateadd('day', 1, 'calendar.day')) }} as ends_at
    from bounds
    {{ join_days('bounds.first_day', 'bounds.last_day', 'calendar') }}
),

lifecycle_stage_days as (
    select
        stages.contact_id,
        stages.axis,
        days.stage_date,
        stages.stage,
        stages.stage_ordinal
    from days
    inner join stages
        on
            stages.entered_at < days.ends_at
            and (stages.left_at is null or stages.left_at >= days.ends_at)
)

select * from lifecycle_stage_days
