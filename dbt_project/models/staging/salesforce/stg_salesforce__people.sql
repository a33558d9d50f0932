with contacts as (
    select * from {{ ref('stg_salesforce__contacts') }}
),

leads as (
    select * from {{ ref('stg_salesforce__leads') }}
),

-- A lead that was converted lives on as the contact that it became; its own data is not kept up any more.
people as (
    select
        record_id,
        salesforce_id,
        email,
        first_name,
        last_name,
        phone,
        job_title,
        country_code,
        acquisition_source,
        birthday,
        merged_into_record_id as absorbed_by_record_id,
        created_at,
        is_archived
    from contacts
    union all
    select
        record_id,
        salesforce_id,
        email,
        first_name,
        last_name,
        phone,
        job_title,
        country_code,
        acquisition_source,
        cast(null as date) as birthday,
        coalesce(merged_into_record_id, converted_record_id) as absorbed_by_record_id,
        created_at,
        is_archived
    from leads
)

select * from people
