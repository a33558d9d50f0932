-- No identifier may lead to two people. When one does, the chain of shared identifiers is longer than
-- var identity_rounds: raise it.
select
    edges.identifier,
    count(distinct contact_records.contact_id) as contacts_count
from {{ ref('int_identity_edges') }} as edges
inner join {{ ref('int_contact_records') }} as contact_records on edges.record_id = contact_records.record_id
group by edges.identifier
having count(distinct contact_records.contact_id) > 1
