with source as (
    select *
    from
        {{ as_known(
            'hubspot', 'subscription_statuses', ['subscriber_id_string', 'subscription_id'], modified_at='timestamp'
        ) }} as known
),

renamed as (
    select
        {{ normalise_email('subscriber_id_string') }} as email,
        cast(subscription_id as {{ dbt.type_string() }}) as subscription_id,
        {{ parse_text('subscription_name') }} as subscription_name,
        lower(channel) as channel,
        upper(status) as status,
        upper({{ parse_text('source') }}) as form,
        upper({{ parse_text('legal_basis') }}) as legal_basis,
        "timestamp" as stated_at,  -- noqa: RF06
        _dlt_valid_from as learned_at
    from source
)

select * from renamed
