insert into ledger.claim (claim_id, lease_until, message_ids)
values (%(claim_id)s, clock_timestamp() + %(lease)s, %(message_ids)s::uuid[])
