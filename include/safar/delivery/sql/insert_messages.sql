insert into ledger.message (
    message_id, action_id, run_id, campaign, step, occurrence_key, contact_id, channel, class, topic, priority,
    template, locale, address, address_hash, address_key_id, fields, entry_occurred_at, due_at, expires_at, planned_at
)
select
    message_id, action_id, run_id, %(campaign)s, step, occurrence_key, contact_id, channel, class, topic, priority,
    template, coalesce(chosen.locale, judged.locale), address, address_hash, address_key_id, coalesce(fields, '{}'),
    entry_occurred_at, open_at, expires_at, %(now)s
from judged
-- What somebody chose in the preference centre goes before what a vendor says of them.
left join lateral (
    select choice.locale
    from ledger.language_choice as choice
    where choice.address_hash = judged.address_hash and choice.channel = judged.channel
    order by choice.language_choice_id desc
    limit 1
) as chosen on true
where result = 'planned'
on conflict on constraint message_once do nothing
