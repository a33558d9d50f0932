insert into ledger.plan_result (run_id, campaign, step, contact_id, occurrence_key, result, action_id)
select
    run_id, %(campaign)s, step, contact_id, occurrence_key, result,
    case result when 'planned' then action_id when 'already_planned' then former_action_id end
from judged
