delete from ledger.claim where claim_id = %(claim_id)s
