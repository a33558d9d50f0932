select id, person_id, ordered_at, amount
from {{ source('shop', 'orders') }}
where ordered_at < {{ as_of() }}
