-- No row: the lease was over and somebody else has accounted for the batch.
update ledger.claim
set lease_until = clock_timestamp() + %(lease)s
where claim_id = %(claim_id)s
returning claim_id
