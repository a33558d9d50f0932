select
    addresses.contact_id,
    'once' as occurrence_key,
    {{ as_of() }} as occurred_at,
    'you' as first_name
from {{ ref('int_contact_addresses') }} as addresses
