select
    orders.contact_id,
    orders.order_id as occurrence_key,
    orders.ordered_at as occurred_at,
    'you' as first_name
from {{ ref('fct_orders') }} as orders
