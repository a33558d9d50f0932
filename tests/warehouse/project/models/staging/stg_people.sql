{{ config(tags=['intraday']) }}
select id, first_name, email, granted_at
from {{ source('crm', 'people') }}
where _dlt_valid_from <= {{ known_at('crm') }}
    and (_dlt_valid_to is null or _dlt_valid_to > {{ known_at('crm') }})
