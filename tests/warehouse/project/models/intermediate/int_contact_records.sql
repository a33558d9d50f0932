{{ config(tags=['intraday']) }}
select
    'crm:' || id as record_id,
    md5('crm:' || min(id) over (partition by lower(email))) as contact_id,
    md5('crm:' || id) as alias_id
from {{ ref('stg_people') }}
