-- What was decided, as the warehouse tells it: (at, recorded_at, kind, text). When it was written down is not kept.
select entered_at as at, null::timestamptz as recorded_at, 'entry' as kind,
    format('entered %%s (%%s) as %%s, because of %%s, in run %%s', campaign, occurrence_key, arm,
        to_char(occurred_at, 'YYYY-MM-DD HH24:MI'), run_id) as text
from decisions.fct_entries
where contact_id = any(%(ids)s) and (%(campaign)s = '' or (campaign, occurrence_key) = (%(campaign)s, %(occurrence_key)s))

union all
select decided_at, null, 'decision',
    format('%%s/%%s (%%s): %%s%%s, in run %%s', campaign, step, occurrence_key, outcome, ' (' || outcome_detail || ')', run_id)
from decisions.fct_decisions
where
    contact_id = any(%(ids)s)
    and (%(campaign)s = '' or (campaign, step, occurrence_key) = (%(campaign)s, %(step)s, %(occurrence_key)s))
