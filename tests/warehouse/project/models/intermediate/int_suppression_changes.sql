{{ config(tags=['intraday']) }}
select
    'email' as channel,
    lower(email) as address,
    'bounced' as reason,
    'crm' as origin,
    id as origin_key,
    timestamptz '2026-02-01 00:00+00' as occurred_at
from {{ ref('stg_people') }}
where email like '%@gone.example'
