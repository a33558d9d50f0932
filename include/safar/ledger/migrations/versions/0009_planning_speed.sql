-- All rows of a statement are usually of one run, and runs are never changed or deleted (trigger only_grows): one look
-- for each run that is named holds as much as a foreign key, which looks once for each row.
create function ledger.require_run() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    unknown text;
begin
    select added.run_id into unknown
    from (select distinct run_id from written) as added
    where not exists (select from ledger.run where run.run_id = added.run_id)
    limit 1;
    if found then
        raise exception 'run % of ledger.% is not in ledger.run', unknown, tg_table_name
            using errcode = 'foreign_key_violation';
    end if;
    return null;
end $$;

alter table ledger.action drop constraint action_run_id_fkey;
create trigger require_run after insert on ledger.action
    referencing new table as written for each statement execute function ledger.require_run();
alter table ledger.message drop constraint message_run_id_fkey;
create trigger require_run after insert on ledger.message
    referencing new table as written for each statement execute function ledger.require_run();
alter table ledger.plan_result drop constraint plan_result_run_id_fkey;
create trigger require_run after insert on ledger.plan_result
    referencing new table as written for each statement execute function ledger.require_run();

-- PostgreSQL 18 makes such ids itself, five times as fast.
do $$
begin
    if to_regproc('pg_catalog.uuidv7') is not null then
        create or replace function ledger.new_id() returns uuid
        language sql volatile parallel safe as 'select pg_catalog.uuidv7()';
    end if;
end $$;
