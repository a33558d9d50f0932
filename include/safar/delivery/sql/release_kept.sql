update ledger.message
set lease_until = null
where message_id = any(%(message_ids)s::uuid[]) and is_planned and claimed_by = %(claim_id)s
