with told as (
    select id, email, has_opted_out_of_email, system_modstamp, _dlt_valid_from
    from {{ as_told('salesforce', 'contacts') }} as contacts
    union all
    select id, email, has_opted_out_of_email, system_modstamp, _dlt_valid_from
    from {{ as_told('salesforce', 'leads') }} as leads
),

last_allowed as (
    select
        id,
        max(system_modstamp) as allowed_at
    from told
    where not coalesce(has_opted_out_of_email, false)
    group by id
),

-- A change of a phone number says the same no again; it was said when the record said so first.
opt_outs as (
    select
        {{ dbt.concat(["'salesforce:'", "told.id"]) }} as record_id,
        {{ normalise_email('told.email') }} as email,
        min(told.system_modstamp) as stated_at,
        min(told._dlt_valid_from) as learned_at
    from told
    left join last_allowed on told.id = last_allowed.id
    where
        told.has_opted_out_of_email
        and (last_allowed.allowed_at is null or told.system_modstamp > last_allowed.allowed_at)
    group by told.id, {{ normalise_email('told.email') }}
)

select * from opt_outs
where email is not null
