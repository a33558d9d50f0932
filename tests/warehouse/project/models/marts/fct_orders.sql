select
    orders.id as order_id,
    records.contact_id,
    orders.ordered_at,
    100 / orders.amount as share
from {{ ref('stg_orders') }} as orders
inner join {{ ref('int_contact_records') }} as records on records.record_id = 'crm:' || orders.person_id
