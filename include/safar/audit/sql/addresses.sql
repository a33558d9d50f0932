-- The addresses of a person, version by version. Masked before they are shown.
select run.as_of as at, address.recorded_at, address.channel, address.address, address.is_valid, address.locale,
    address.time_zone, address.until_sequence is null as is_current
from ledger.address as address
left join ledger.run on run.sequence = address.from_sequence
where
    address.contact_id = any(%(ids)s)
    and (%(message_id)s::uuid is null or address.address_hash = any(%(hashes)s))
order by address.from_sequence
