with transitions as (
    select * from {{ source('ledger', 'message_transition') }}
    where recorded_at < {{ known_at('ledger') }}
),

messages as (
    select * from {{ source('ledger', 'message') }}
    where recorded_at < {{ known_at('ledger') }}
),

ranked_transitions as (
    select
        message_id,
        to_state,
        reason,
        recorded_at,
        row_number() over (partition by message_id order by transition_id desc) as recency,
        max(case when to_state = 'claimed' then business_at end) over (partition by message_id) as claimed_at,
        max(case when to_state = 'attempting' then business_at end) over (partition by message_id) as attempted_at,
        max(case when to_state = 'accepted' then business_at end) over (partition by message_id) as accepted_at
    from transitions
),

known_messages as (
    select
        messages.message_id,
        messages.action_id,
        messages.run_id,
        messages.campaign,
        messages.step,
        messages.occurrence_key,
        messages.contact_id,
        messages.channel,
        messages.class,
        messages.topic,
        messages.priority,
        messages.template,
        messages.locale,
        messages.address_hash,
        coalesce(ranked_transitions.to_state, 'planned') as state,
        ranked_transitions.reason,
        messages.entry_occurred_at,
        messages.due_at,
        messages.expires_at,
        messages.planned_at,
        ranked_transitions.claimed_at,
        ranked_transitions.attempted_at,
        ranked_transitions.accepted_at,
        messages.recorded_at,
        coalesce(ranked_transitions.recorded_at, messages.recorded_at) as state_recorded_at
    from messages
    left join ranked_transitions
        on
            messages.message_id = ranked_transitions.message_id
            and ranked_transitions.recency = 1
)

select * from known_messages
