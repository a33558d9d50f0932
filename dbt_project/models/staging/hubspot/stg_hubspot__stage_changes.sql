with source as (
    select * from {{ as_told('hubspot', 'contacts') }} as told
),

renamed as (
    select
        {{ dbt.concat(["'hubspot:'", "id"]) }} as record_id,
        case lower({{ parse_text('properties__lifecyclestage') }})
            when 'subscriber' then 'subscriber'
            when 'lead' then 'lead'
            when 'marketingqualifiedlead' then 'mql'
            when 'salesqualifiedlead' then 'sql_lead'
            when 'opportunity' then 'opportunity'
            when 'customer' then 'customer'
        end as stage,
        coalesce(updated_at, created_at, _dlt_valid_from) as told_at
    from source
),

first_told as (
    select
        record_id,
        stage,
        min(told_at) as entered_at
    from renamed
    where stage is not null
    group by record_id, stage
    having min(told_at) < {{ as_of() }}
)

select * from first_told
