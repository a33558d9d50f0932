with actions as (
    select * from {{ source('ledger', 'action') }}
    where recorded_at < {{ known_at('ledger') }}
),

messages as (
    select * from {{ ref('stg_ledger__messages') }}
),

ranked_messages as (
    select
        action_id,
        state,
        reason,
        claimed_at,
        accepted_at,
        row_number() over (partition by action_id order by recorded_at desc, message_id asc) as recency
    from messages
),

known_actions as (
    select
        actions.action_id,
        actions.run_id,
        actions.campaign,
        actions.step,
        actions.occurrence_key,
        actions.contact_id,
        actions.kind,
        actions.class,
        coalesce(actions.own_state, ranked_messages.state) as state,
        ranked_messages.reason,
        actions.entry_occurred_at,
        actions.due_at,
        actions.expires_at,
        actions.planned_at,
        ranked_messages.claimed_at,
        ranked_messages.accepted_at,
        actions.recorded_at
    from actions
    left join ranked_messages
        on
            actions.action_id = ranked_messages.action_id
            and ranked_messages.recency = 1
)

select * from known_actions
