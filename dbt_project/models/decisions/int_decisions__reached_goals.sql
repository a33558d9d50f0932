{{ config(materialized='view', schema='intermediate') }}

with candidates as (
    select * from {{ ref('int_decisions__candidates') }}
),

campaigns as (
    select * from {{ ref('int_decisions__campaigns') }}
    where exit in ('goal', 'either')
),

goals as (
    {{ union_goals(campaigns_of_run()) }}
),

reached_goals as (
    select
        candidates.campaign,
        candidates.contact_id,
        candidates.occurrence_key,
        min(goals.goal_at) as goal_at
    from candidates
    inner join campaigns on candidates.campaign = campaigns.campaign
    inner join goals
        on
            campaigns.goal = goals.goal
            and candidates.person_id = goals.contact_id
            and goals.goal_at > candidates.entry_occurred_at
    group by candidates.campaign, candidates.contact_id, candidates.occurrence_key
)

select * from reached_goals
