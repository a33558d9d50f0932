with source as (
    select * from {{ as_told('hubspot', 'deal_stage_changes') }} as told
),

renamed as (
    select
        deal_id,
        stage_id,
        entered_at,
        lower(source_type) as changed_by
    from source
    where entered_at < {{ as_of() }}
)

select * from renamed
