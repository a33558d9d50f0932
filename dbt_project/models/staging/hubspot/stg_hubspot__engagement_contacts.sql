with united as (
    select
        email_id as engagement_id,
        'email' as kind,
        {{ dbt.concat(["'hubspot:'", "contact_id"]) }} as record_id
    from {{ as_known('hubspot', 'email_contacts', ['email_id', 'contact_id']) }} as emails
    union all
    select
        call_id as engagement_id,
        'call' as kind,
        {{ dbt.concat(["'hubspot:'", "contact_id"]) }} as record_id
    from {{ as_known('hubspot', 'call_contacts', ['call_id', 'contact_id']) }} as calls
    union all
    select
        meeting_id as engagement_id,
        'meeting' as kind,
        {{ dbt.concat(["'hubspot:'", "contact_id"]) }} as record_id
    from {{ as_known('hubspot', 'meeting_contacts', ['meeting_id', 'contact_id']) }} as meetings
    union all
    select
        task_id as engagement_id,
        'task' as kind,
        {{ dbt.concat(["'hubspot:'", "contact_id"]) }} as record_id
    from {{ as_known('hubspot', 'task_contacts', ['task_id', 'contact_id']) }} as tasks
)

select * from united
