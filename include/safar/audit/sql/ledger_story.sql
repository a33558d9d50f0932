-- The story of a person or of one message, as the ledger tells it: (at, recorded_at, kind, text). at is business time,
-- where a row has one; recorded_at is wall time. No address is in a text.
with messages as (
    select *
    from ledger.message
    where
        case
            when %(message_id)s::uuid is not null then message_id = %(message_id)s
            else contact_id = any(%(ids)s) or address_hash = any(%(hashes)s)
        end
)

select run.as_of as at, alias.recorded_at, 'alias' as kind,
    format('%%s is %%s%%s', alias.alias_id, alias.contact_id, case when alias.until_sequence is not null then ', no longer' end) as text
from ledger.contact_alias as alias
left join ledger.run on run.sequence = alias.from_sequence
where (alias.alias_id = any(%(ids)s) or alias.contact_id = any(%(ids)s)) and alias.alias_id <> alias.contact_id

union all
select occurred_at, recorded_at, 'permission',
    format('%%s for %%s/%%s by %%s (%%s)%%s', state, channel, topic, source, source_key, case when proof <> '{}'::jsonb then '; proof ' || proof::text end)
from ledger.permission_event
where address_hash = any(%(hashes)s) or contact_id = any(%(ids)s)

union all
select occurred_at, recorded_at, 'suppression', format('%%s on %%s, from %%s (%%s)', reason, channel, origin, origin_key)
from ledger.suppression
where address_hash = any(%(hashes)s)

union all
select goal_at, recorded_at, 'goal', format('reached the goal of %%s', campaign)
from ledger.goal_seen
where contact_id = any(%(ids)s) and (%(campaign)s = '' or campaign = %(campaign)s)

union all
select run.as_of, result.recorded_at, 'plan',
    format('%%s/%%s (%%s): %%s, in run %%s', result.campaign, result.step, result.occurrence_key, result.result, result.run_id)
from ledger.plan_result as result
join ledger.run using (run_id)
where
    result.contact_id = any(%(ids)s)
    and (%(campaign)s = '' or (result.campaign, result.step, result.occurrence_key) = (%(campaign)s, %(step)s, %(occurrence_key)s))

union all
select run.as_of, approval.recorded_at, 'approval',
    format('%%s in run %%s: %%s people, %%s%%s', approval.campaign, approval.run_id, approval.candidate_count,
        replace(approval.decision, '_', ' '), ' by ' || approval.decided_by)
from ledger.approval
join ledger.run using (run_id)
where (approval.run_id, approval.campaign) in (select run_id, campaign from messages)

union all
select action.planned_at, action.recorded_at, 'action',
    format('%%s %%s for %%s/%%s (%%s), due %%s, in run %%s', action.kind, action.action_id, action.campaign, action.step,
        action.occurrence_key, to_char(action.due_at, 'YYYY-MM-DD HH24:MI'), action.run_id)
from ledger.action
where
    action.action_id in (select action_id from messages)
    or %(message_id)s::uuid is null and action.kind <> 'message' and contact_id = any(%(ids)s)

union all
select planned_at, recorded_at, 'message',
    format('%%s planned: %%s %%s, template %%s (%%s), %%s, topic %%s, expires %%s', message_id, campaign, step, template, locale,
        class, topic, to_char(expires_at, 'YYYY-MM-DD HH24:MI'))
from messages

union all
select transition.business_at, transition.recorded_at, 'transition',
    format('%%s: %%s → %%s%%s', transition.message_id, transition.from_state, transition.to_state, ' (' || transition.reason || ')')
from ledger.message_transition as transition
where transition.message_id in (select message_id from messages)

union all
select occurred_at, recorded_at, 'event',
    format('%%s says %%s%%s%%s%%s', provider, event_type, ' about ' || message_id, ' (' || reason || ')', case when is_late then ', late' end)
from ledger.provider_event
where
    message_id in (select message_id from messages)
    or %(message_id)s::uuid is null and message_id is null and address_hash = any(%(hashes)s)

union all
select seen_at, recorded_at, 'event',
    format('%%s took a mail of %%s/%%s that a restored ledger had forgotten', provider, campaign, step)
from ledger.sent_elsewhere
where address_hash = any(%(hashes)s) and (%(campaign)s = '' or (campaign, step) = (%(campaign)s, %(step)s))

union all
select null, stop.recorded_at, 'stop',
    format('%%s stopped %%s: %%s%%s', created_by,
        coalesce(nullif(concat_ws('/', campaign, step, channel, contact_id, occurrence_key), ''), 'everything'), reason,
        ', lifted ' || to_char(lifted_at, 'YYYY-MM-DD HH24:MI'))
from ledger.stop
where
    stop.contact_id = any(%(ids)s)
    or stop.contact_id is null and exists (
        select from messages
        where
            coalesce(stop.campaign, messages.campaign) = messages.campaign
            and coalesce(stop.step, messages.step) = messages.step
            and coalesce(stop.channel, messages.channel) = messages.channel
            and coalesce(stop.occurrence_key, messages.occurrence_key) = messages.occurrence_key
            and (stop.lifted_at is null or stop.lifted_at >= messages.recorded_at)
    )
