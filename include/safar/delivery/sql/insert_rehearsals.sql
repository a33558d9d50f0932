insert into ledger.rehearsal (run_id, campaign, step, contact_id, occurrence_key, result)
select run_id, %(campaign)s, step, contact_id, occurrence_key, result
from judged
on conflict (run_id, campaign, step, contact_id, occurrence_key)
do update set result = excluded.result, recorded_at = now()
