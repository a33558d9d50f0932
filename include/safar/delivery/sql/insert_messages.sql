insert into ledger.message (
    message_id, action_id, run_id, campaign, step, occurrence_key, contact_id, channel, class, topic, priority,
    template, locale, address, address_hash, address_key_id, fields, entry_occurred_at, due_at, expires_at, planned_at
)
select
    message_id, action_id, run_id, %(campaign)s, step, occurrence_key, contact_id, channel, class, topic, priority,
    template, locale, address, address_hash, address_key_id, coalesce(fields, '{}'), entry_occurred_at, open_at,
    expires_at, %(now)s
from judged
where result = 'planned'
on conflict on constraint message_once do nothing
