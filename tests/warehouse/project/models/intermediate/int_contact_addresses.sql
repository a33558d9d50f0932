{{ config(tags=['intraday']) }}
select
    records.contact_id,
    'email' as channel,
    min(lower(people.email)) as address,
    'en' as locale,
    cast(null as text) as time_zone,
    true as is_valid
from {{ ref('stg_people') }} as people
inner join {{ ref('int_contact_records') }} as records on records.record_id = 'crm:' || people.id
where people.email <> ''
group by records.contact_id
