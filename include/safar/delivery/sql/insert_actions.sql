insert into ledger.action (
    action_id, run_id, campaign, step, occurrence_key, contact_id, kind, class,
    entry_occurred_at, due_at, expires_at, planned_at
)
select
    action_id, run_id, %(campaign)s, step, occurrence_key, contact_id, 'message', class,
    entry_occurred_at, due_at, expires_at, %(now)s
from judged
where result = 'planned'
