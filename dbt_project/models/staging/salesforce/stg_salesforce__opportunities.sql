with source as (
    select *
    from
        {{ as_known('salesforce', 'opportunities', ['id'], modified_at='system_modstamp', with_deleted=true) }}
            as known
),

renamed as (
    select
        id as opportunity_id,
        account_id,
        {{ dbt.concat(["'salesforce:'", "contact_id"]) }} as record_id,
        {{ parse_text('name') }} as opportunity_name,
        {{ parse_text('stage_name') }} as stage,
        cast(amount as numeric(18, 2)) as amount,
        upper('{{ var("currency") }}') as currency,
        cast(probability as numeric(5, 2)) as probability_percent,
        close_date,
        {{ parse_text('type') }} as opportunity_type,
        {{ parse_text('lead_source') }} as acquisition_source,
        coalesce(is_closed, false) as is_closed,
        coalesce(is_won, false) as is_won,
        owner_id,
        created_date as created_at,
        system_modstamp as updated_at,
        coalesce(_deleted, false) as is_archived
    from source
    where created_date < {{ as_of() }} or created_date is null
)

select * from renamed
