-- Whoever was due in this run and is not among its decisions has been lost on the way: counting the decisions by
-- themselves would never show it.
select
    candidates.campaign,
    candidates.step,
    count(*) as lost_count
from {{ ref('int_decisions__candidates') }} as candidates
left join {{ ref('fct_decisions') }} as decisions
    on
        decisions.run_id = {{ text_literal(pinned().run_id) }}
        and candidates.campaign = decisions.campaign
        and candidates.step = decisions.step
        and candidates.contact_id = decisions.contact_id
        and candidates.occurrence_key = decisions.occurrence_key
where decisions.run_id is null
group by candidates.campaign, candidates.step
