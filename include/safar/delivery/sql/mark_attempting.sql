update ledger.message
set
    state = 'attempting',
    attempt_count = attempt_count + 1,
    attempted_at = %(now)s,
    state_at = clock_timestamp()
where message_id = any((select message_ids from ledger.claim where claim_id = %(claim_id)s)::uuid[]) and state = 'claimed' and claimed_by = %(claim_id)s
returning message_id
