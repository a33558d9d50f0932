-- failed and unknown, for rows of one call.
update ledger.message
set
    state = %(state)s,
    reason = %(reason)s,
    provider = %(provider)s,
    state_at = clock_timestamp()
where message_id = any(%(message_ids)s::uuid[]) and state = 'attempting' and claimed_by = %(claim_id)s
