-- The first message of an action has the action's id, so the primary key finds it. This index holds the others, which
-- are few: the same action over one more channel, confirmation mails (ledger.plan_confirmation), and what was planned
-- before this migration.
drop index ledger.message_action;
create index message_action on ledger.message (action_id) where message_id <> action_id;

create or replace view ledger.action_outcome as
select action.action_id, action.campaign, action.step, action.run_id, coalesce(action.own_state, last_message.state) as state
from ledger.action as action
left join lateral (
    select one.state
    from (
        select message.state, message.recorded_at, message.message_id
        from ledger.message as message
        where message.message_id = action.action_id and message.action_id = action.action_id
        union all
        select message.state, message.recorded_at, message.message_id
        from ledger.message as message
        where message.action_id = action.action_id and message.message_id <> message.action_id
    ) as one
    order by one.recorded_at desc, one.message_id
    limit 1
) as last_message on true;

-- Actions are never deleted and never get another id (triggers refuse_deletion and is_fixed), so one look for each row
-- as it is written holds as much as a foreign key, which looks by a query of its own for each. By the index, however
-- large the ledger is.
create function ledger.require_action() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp set enable_hashjoin = off set enable_mergejoin = off as $$
declare
    unknown uuid;
begin
    select added.action_id into unknown
    from written as added
    where
        added.action_id is not null
        and not exists (select from ledger.action where action.action_id = added.action_id)
    limit 1;
    if found then
        raise exception 'action % of ledger.% is not in ledger.action', unknown, tg_table_name
            using errcode = 'foreign_key_violation';
    end if;
    return null;
end $$;

alter table ledger.message drop constraint message_action_id_fkey;
create trigger require_action after insert on ledger.message
    referencing new table as written for each statement execute function ledger.require_action();
alter table ledger.plan_result drop constraint plan_result_action_id_fkey;
create trigger require_action after insert on ledger.plan_result
    referencing new table as written for each statement execute function ledger.require_action();
