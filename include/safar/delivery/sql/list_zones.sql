-- The zones of the people who are about to be planned, as the run knew them.
select distinct address.time_zone
from decision
join ledger.address
    on decision.contact_id = address.contact_id
    and decision.channel = address.channel
    and decision.run_sequence >= address.from_sequence
    and decision.run_sequence < coalesce(address.until_sequence, 9223372036854775807)
where decision.class = 'marketing' and address.time_zone is not null
