-- Surely not taken: planned again, and left alone for the time of the hold (wall time). claimed_by stays, so
-- that this dispatcher finds the parts of a call that was refused as a whole.
update ledger.message
set
    state = 'planned',
    reason = %(reason)s,
    claimed_at = null,
    lease_until = clock_timestamp() + %(hold)s::interval,
    state_at = clock_timestamp()
where message_id = any(%(message_ids)s::uuid[]) and state in ('claimed', 'attempting') and claimed_by = %(claim_id)s
