insert into ledger.message (
    message_id, action_id, run_id, campaign, step, occurrence_key, contact_id, channel, class, topic, priority,
    template, locale, address, address_hash, address_key_id, fields, entry_occurred_at, due_at, expires_at, planned_at
)
select
    action_id, action_id, run_id, %(campaign)s, step, occurrence_key, contact_id, channel, class, topic, priority,
    template, coalesce(chosen.locale, judged.locale), address, address_hash, address_key_id, coalesce(fields, '{}'),
    entry_occurred_at, open_at, expires_at, %(now)s
from judged
-- What somebody chose in the preference centre goes before what a vendor says of them.
left join (
    select distinct on (address_hash, channel) address_hash, channel, locale
    from ledger.language_choice
    order by address_hash, channel, language_choice_id desc
) as chosen using (address_hash, channel)
where result = 'planned'
