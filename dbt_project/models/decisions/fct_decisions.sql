{{ config(
    incremental_strategy='append',
    pre_hook='{{ delete_unfrozen_rows() }}',
    indexes=[
        {'columns': ['campaign', 'contact_id', 'occurrence_key', 'step', 'run_id'], 'unique': true},
        {'columns': ['run_id', 'campaign', 'outcome']},
        {'columns': ['campaign', 'decided_at']},
    ]
) }}

{%- set run_id = text_literal(pinned().run_id) %}

with candidates as (
    select * from {{ ref('int_decisions__hindrances') }}
),

entries as (
    select * from {{ ref('fct_entries') }}
),

-- Sends of this run that are being planned already: they are not decided again, and they have won.
frozen_sends as (
    {%- if is_incremental() %}
    select
        channel,
        address_hash,
        min(campaign) as campaign
    from {{ this }}
    where
        run_id = {{ run_id }}
        and outcome = 'send'
        and class = 'marketing'
        and campaign in ({{ frozen_campaigns() }})
    group by channel, address_hash
    {%- else %}
    select channel, address_hash, campaign
    from candidates
    where 1 = 0
    {%- endif %}
),

unhindered as (
    select
        *,
        {{ dbt.hash(run_id ~ " || '/' || campaign || '/' || contact_id || '/' || occurrence_key") }} as lot,
        {{ dbt.hash(run_id ~ " || '/' || person_id") }} as person_lot
    from candidates
    where outcome is null
),

-- Several people at one address: one of them gets a step of marketing, or a transactional one about the same thing.
matched as (
    select
        *,
        person_id = first_value(person_id) over (
            partition by campaign, step, channel, address_hash, case when not is_marketing then occurrence_key end
            order by person_lot
        ) as is_chosen_person
    from unhindered
),

-- Marketing of all campaigns: one message per address.
ranked as (
    select
        *,
        row_number() over (
            partition by channel, address_hash, is_marketing and is_chosen_person
            order by priority desc, lot
        ) as rank_at_address,
        first_value(campaign) over (
            partition by channel, address_hash, is_marketing and is_chosen_person
            order by priority desc, lot
        ) as first_campaign
    from matched
),

compared as (
    select
        ranked.*,
        coalesce(frozen_sends.campaign, case when ranked.rank_at_address > 1 then ranked.first_campaign end) as winner
    from ranked
    left join frozen_sends
        on
            ranked.channel = frozen_sends.channel
            and ranked.address_hash = frozen_sends.address_hash
),

outcomes as (
    select
        campaign, step, contact_id, occurrence_key, channel, template, class, topic, priority, entry_occurred_at,
        due_at, expires_at, address_hash, locale, outcome, outcome_detail
    from candidates
    where outcome is not null
    union all
    select
        campaign, step, contact_id, occurrence_key, channel, template, class, topic, priority, entry_occurred_at,
        due_at, expires_at, address_hash, locale,
        case
            when not is_chosen_person then 'same_address'
            when is_marketing and winner is not null then 'outranked'
            else 'send'
        end as outcome,
        case
            when not is_chosen_person then 'chosen is somebody else'
            when is_marketing and winner is not null then 'outranked by ' || winner
        end as outcome_detail
    from compared
),

-- Only what is to be sent needs the person's fields here.
decisions as (
    select
        {{ run_id }} as run_id,
        cast({{ pinned().sequence }} as {{ dbt.type_bigint() }}) as run_sequence,
        outcomes.campaign,
        outcomes.step,
        outcomes.contact_id,
        outcomes.occurrence_key,
        outcomes.channel,
        outcomes.template,
        outcomes.class,
        outcomes.topic,
        outcomes.priority,
        outcomes.entry_occurred_at,
        outcomes.due_at,
        outcomes.expires_at,
        outcomes.outcome,
        outcomes.outcome_detail,
        outcomes.address_hash,
        coalesce(
            outcomes.locale, {{ json_text('entries.fields', ['locale']) }}, '{{ var("default_locale") }}'
        ) as locale,
        case when outcomes.outcome = 'send' then entries.fields end as fields,
        {{ as_of() }} as decided_at
    from outcomes
    inner join entries
        on
            outcomes.campaign = entries.campaign
            and outcomes.contact_id = entries.contact_id
            and outcomes.occurrence_key = entries.occurrence_key
)

select * from decisions
