with source as (
    select * from {{ as_told('hubspot', 'form_submissions') }} as told
),

renamed as (
    select
        form_id,
        conversion_id as submission_id,
        {{ normalise_email('values__email') }} as email,
        {{ parse_text('page_url') }} as page_url,
        submitted_at
    from source
    where submitted_at < {{ as_of() }}
)

select * from renamed
