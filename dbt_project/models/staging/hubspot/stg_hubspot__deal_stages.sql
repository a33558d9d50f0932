with source as (
    select * from {{ as_known('hubspot', 'deal_stages', ['pipeline_id', 'stage_id']) }} as known
),

renamed as (
    select
        pipeline_id,
        pipeline_label,
        stage_id,
        label as stage_label,
        display_order as stage_order,
        coalesce(is_closed, false) as is_closed,
        {{ parse_number('probability') }} as win_probability
    from source
)

select * from renamed
