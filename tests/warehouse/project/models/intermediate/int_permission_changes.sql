{{ config(tags=['intraday']) }}
select
    'email' as channel,
    'marketing' as topic,
    lower(people.email) as address,
    records.contact_id,
    'granted' as state,
    'crm' as source,
    people.id || '|' || people.granted_at as source_key,
    jsonb_build_object('evidence', 'single_opt_in', 'stated_at', people.granted_at) as proof,
    people.granted_at as occurred_at
from {{ ref('stg_people') }} as people
inner join {{ ref('int_contact_records') }} as records on records.record_id = 'crm:' || people.id
where people.granted_at is not null
