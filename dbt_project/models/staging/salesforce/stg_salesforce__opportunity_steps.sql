with source as (
    select * from {{ as_known('salesforce', 'opportunity_history', ['id'], modified_at='system_modstamp') }} as known
),

renamed as (
    select
        id as opportunity_step_id,
        opportunity_id,
        {{ parse_text('stage_name') }} as stage,
        cast(amount as numeric(18, 2)) as amount,
        upper('{{ var("currency") }}') as currency,
        cast(probability as numeric(5, 2)) as probability_percent,
        close_date,
        created_by_id as moved_by_owner_id,
        created_date as entered_at
    from source
    where created_date < {{ as_of() }}
)

select * from renamed
