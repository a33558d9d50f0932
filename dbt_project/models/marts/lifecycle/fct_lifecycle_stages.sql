with periods as (
    select 'acquisition' as axis, contact_id, stage, starts_at, ends_at from {{ ref('int_acquisition_stages') }}
    union all
    select 'customer' as axis, contact_id, stage, starts_at, ends_at from {{ ref('int_customer_stages') }}
    union all
    select 'subscriber' as axis, contact_id, stage, starts_at, ends_at from {{ ref('int_subscriber_stages') }}
),

stages as (
    select * from {{ ref('lifecycle_stages') }}
),

compared as (
    select
        *,
        lag(stage) over (partition by contact_id, axis order by starts_at) as stage_before,
        lag(ends_at) over (partition by contact_id, axis order by starts_at) as stage_before_ended_at
    from periods
),

-- A period that goes on in the same stage is no change.
numbered as (
    select
        *,
        sum(case when stage = stage_before and starts_at = stage_before_ended_at then 0 else 1 end) over (
            partition by contact_id, axis
            order by starts_at
            rows unbounded preceding
        ) as change_number
    from compared
),

changes as (
    select
        contact_id,
        axis,
        change_number,
        min(stage) as stage,
        min(starts_at) as entered_at,
        max(ends_at) as ends_at
    from numbered
    group by contact_id, axis, change_number
),

lifecycle_stages as (
    select
        {{ dbt.hash(dbt.concat([
            "changes.contact_id", "'|'", "changes.axis", "'|'", write_instant('changes.entered_at')
        ])) }} as stage_change_id,
        changes.contact_id,
        changes.axis,
        changes.stage,
        stages.ordinal as stage_ordinal,
        lag(changes.stage) over (
            partition by changes.contact_id, changes.axis
            order by changes.entered_at
        ) as previous_stage,
        changes.entered_at,
        case when changes.ends_at < {{ as_of() }} then changes.ends_at end as left_at,
        changes.ends_at >= {{ as_of() }} as is_current
    from changes
    left join stages on changes.axis = stages.axis and changes.stage = stages.stage
)

select * from lifecycle_stages
