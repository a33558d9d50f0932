-- A row that outlived its lease meanwhile is unknown; the answer settles it.
update ledger.message
set
    state = 'accepted',
    reason = null,
    accepted_at = %(now)s,
    provider = %(provider)s,
    provider_message_id = %(provider_message_id)s,
    state_at = clock_timestamp()
where message_id = any(%(message_ids)s::uuid[]) and state in ('attempting', 'unknown') and claimed_by = %(claim_id)s
