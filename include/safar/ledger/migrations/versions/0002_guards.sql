-- Groups, not logins: an installation gives each of its logins the groups that its work needs (safar.ledger.logins).
-- Roles belong to the server, so a second database on it finds them there.
do $$
declare
    wanted text;
begin
    foreach wanted in array array['safar_dbt', 'safar_build', 'safar_deliver', 'safar_intake', 'safar_read'] loop
        if exists (select from pg_roles where rolname = wanted) then
            continue;
        end if;
        begin
            execute format('create role %I nologin', wanted);
        exception
            when duplicate_object or unique_violation then
                null;
            when insufficient_privilege then
                raise exception 'role % is missing and % may not create it', wanted, current_user
                    using hint = format('Give the owner CREATEROLE, or let an administrator run: create role %I nologin', wanted);
        end;
    end loop;
    if not pg_has_role(current_user, 'pg_read_all_stats', 'usage') then
        raise exception '% cannot see when other sessions began, and a pin must not be newer than what they still write', current_user
            using hint = format('Let an administrator run: grant pg_read_all_stats to %I', current_user);
    end if;
    execute format(
        'grant connect, temporary on database %I to safar_dbt, safar_build, safar_deliver, safar_intake, safar_read',
        current_database()
    );
end $$;

-- Guards. They hold for whoever writes, the owner too. A function of the owner that must rewrite history (the erasure
-- of a person) is `security definer` and says so while it writes: `set_config('safar.rewriting', 'on', true)`. Anybody
-- may set that, and for anybody but the owner it means nothing.
-- Its own search path: somebody who owns a schema could put a pg_has_role of theirs before the server's.
create function ledger.is_rewriting() returns boolean language sql stable set search_path = pg_catalog, pg_temp as $$
    select coalesce(
        current_setting('safar.rewriting', true) = 'on' and pg_has_role(current_user, nspowner, 'usage'), false
    )
    from pg_catalog.pg_namespace
    where nspname = 'ledger'
$$;

create function ledger.refuse_change() returns trigger language plpgsql as $$
begin
    if ledger.is_rewriting() then
        return null;
    end if;
    raise exception 'what stands in ledger.% is not changed: % is refused (%)', tg_table_name, lower(tg_op), tg_name
        using errcode = 'check_violation';
end $$;

create trigger only_grows before update or delete or truncate on ledger.run
    for each statement execute function ledger.refuse_change();
create trigger only_grows before update or delete or truncate on ledger.epoch
    for each statement execute function ledger.refuse_change();
create trigger only_grows before update or delete or truncate on ledger.plan_result
    for each statement execute function ledger.refuse_change();
create trigger only_grows before update or delete or truncate on ledger.provider_event
    for each statement execute function ledger.refuse_change();
create trigger only_grows before update or delete or truncate on ledger.message_transition
    for each statement execute function ledger.refuse_change();

-- Published by two runs, a row keeps the earlier stamp (safar.warehouse.events); nothing else of it ever changes.
create trigger only_grows before delete or truncate on ledger.permission_event
    for each statement execute function ledger.refuse_change();
create trigger only_grows before delete or truncate on ledger.suppression
    for each statement execute function ledger.refuse_change();
create trigger only_grows before delete or truncate on ledger.stop
    for each statement execute function ledger.refuse_change();
create trigger is_fixed after update on ledger.permission_event for each row
    when (
        (old.permission_event_id, old.channel, old.topic, old.address_hash, old.contact_id, old.state, old.source, old.source_key, old.proof, old.occurred_at)
        is distinct from
        (new.permission_event_id, new.channel, new.topic, new.address_hash, new.contact_id, new.state, new.source, new.source_key, new.proof, new.occurred_at)
        or new.recorded_at > old.recorded_at
    )
    execute function ledger.refuse_change();
create trigger is_fixed after update on ledger.suppression for each row
    when (
        (old.suppression_id, old.channel, old.address_hash, old.reason, old.origin, old.origin_key, old.occurred_at)
        is distinct from
        (new.suppression_id, new.channel, new.address_hash, new.reason, new.origin, new.origin_key, new.occurred_at)
        or new.recorded_at > old.recorded_at
    )
    execute function ledger.refuse_change();

-- What a message and an action are. `update of` and `when` keep these off the dispatcher's way: its statements name
-- none of the columns. Not among them: address and fields, which an erasure empties.
create trigger is_fixed after update of
    message_id, action_id, run_id, campaign, step, occurrence_key, contact_id, channel, class, topic, template, locale,
    address_hash, address_key_id, entry_occurred_at, planned_at, recorded_at
    on ledger.message for each row
    when (
        (old.message_id, old.action_id, old.run_id, old.campaign, old.step, old.occurrence_key, old.contact_id, old.channel, old.class, old.topic, old.template, old.locale, old.address_hash, old.address_key_id, old.entry_occurred_at, old.planned_at, old.recorded_at)
        is distinct from
        (new.message_id, new.action_id, new.run_id, new.campaign, new.step, new.occurrence_key, new.contact_id, new.channel, new.class, new.topic, new.template, new.locale, new.address_hash, new.address_key_id, new.entry_occurred_at, new.planned_at, new.recorded_at)
    )
    execute function ledger.refuse_change();
create trigger is_fixed after update of
    action_id, run_id, campaign, step, occurrence_key, contact_id, kind, class, entry_occurred_at, planned_at, recorded_at
    on ledger.action for each row
    when (
        (old.action_id, old.run_id, old.campaign, old.step, old.occurrence_key, old.contact_id, old.kind, old.class, old.entry_occurred_at, old.planned_at, old.recorded_at)
        is distinct from
        (new.action_id, new.run_id, new.campaign, new.step, new.occurrence_key, new.contact_id, new.kind, new.class, new.entry_occurred_at, new.planned_at, new.recorded_at)
    )
    execute function ledger.refuse_change();

create function ledger.refuse_new_message() returns trigger language plpgsql as $$
begin
    if ledger.is_rewriting() then
        return new;
    end if;
    raise exception 'a message begins planned, unclaimed and never attempted, not %', new.state
        using errcode = 'check_violation';
end $$;
create trigger begins_planned before insert on ledger.message for each row
    when (
        new.state <> 'planned' or new.attempt_count <> 0 or new.claimed_at is not null or new.claimed_by is not null
        or new.attempted_at is not null or new.accepted_at is not null
    )
    execute function ledger.refuse_new_message();

-- A claim without a lease would hold its messages for ever.
create function ledger.refuse_claim() returns trigger language plpgsql as $$
begin
    raise exception 'a claim has messages and a lease that runs, and keeps its messages'
        using errcode = 'check_violation';
end $$;
create trigger has_lease before insert on ledger.claim for each row
    when (new.lease_until <= now() or new.lease_until = 'infinity' or cardinality(new.message_ids) = 0)
    execute function ledger.refuse_claim();
create trigger keeps_messages after update of claim_id, message_ids on ledger.claim for each row
    when (old.claim_id is distinct from new.claim_id or old.message_ids is distinct from new.message_ids)
    execute function ledger.refuse_claim();

-- An event may come in after silence has made a transactional message planned for its one more attempt.
insert into ledger.legal_transition values ('planned', 'accepted');

-- As before, and now also: who claims holds a lease that runs, an attempt is counted when it begins and only then, and
-- the transitions are written with the owner's rights, so that nobody else can write them.
create or replace function ledger.guard_message_state() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp set enable_nestloop = off as $$
declare
    wrong record;
begin
    with change as materialized (
        select
            after.message_id, before.state as from_state, after.state as to_state, after.reason, after.claimed_by,
            case after.state
                when 'accepted' then after.accepted_at
                when 'claimed' then after.claimed_at
                else after.attempted_at
            end as business_at,
            case
                when after.attempt_count <> before.attempt_count + (after.state = 'attempting' and before.state <> 'attempting')::int
                    then 'counts an attempt without making one, or makes one without counting it'
                when before.state = after.state then null
                when
                    before.state = 'planned' and after.state = 'accepted'
                    and (
                        before.attempt_count = 0
                        or not exists (select from ledger.provider_event as event where event.message_id = after.message_id)
                    )
                    then 'may not go from planned to accepted: no event proves an earlier attempt'
                when before.state = 'unknown' and after.state = 'planned' and (after.class <> 'transactional' or after.attempt_count > 1)
                    then 'is attempted again: an unknown message is, only once, and only when it is transactional'
                when after.state = 'claimed' and after.claimed_at is null then 'is claimed without a time'
                when after.state = 'attempting' and (after.attempted_at is null or after.claimed_by is distinct from before.claimed_by)
                    then 'is attempted by somebody who has not claimed it, or without a time'
                when after.state = 'accepted' and after.accepted_at is null then 'is accepted without a time'
            end as fault
        from before
        join after using (message_id)
        where before.state <> after.state or before.attempt_count <> after.attempt_count
    ),
    recorded as (
        insert into ledger.message_transition (message_id, from_state, to_state, reason, business_at)
        select message_id, from_state, to_state, reason, business_at from change where from_state <> to_state
    ),
    -- Few: a batch has one claim.
    holder as materialized (
        select distinct claimed_by from change where to_state in ('claimed', 'attempting') and from_state <> to_state
    ),
    leaseless as materialized (
        select holder.claimed_by
        from holder
        left join ledger.claim as claim on claim.claim_id = holder.claimed_by and claim.lease_until > clock_timestamp()
        where claim.claim_id is null
    )
    select
        change.message_id, change.from_state, change.to_state,
        case
            when change.from_state <> change.to_state and legal.from_state is null
                then 'may not go from ' || change.from_state || ' to ' || change.to_state
            else coalesce(change.fault, 'is ' || change.to_state || ' without a claim whose lease runs')
        end as fault
    into wrong
    from change
    left join ledger.legal_transition as legal using (from_state, to_state)
    where
        change.from_state <> change.to_state and legal.from_state is null
        or change.fault is not null
        or change.from_state <> change.to_state and change.to_state in ('claimed', 'attempting')
        and exists (select from leaseless where leaseless.claimed_by is not distinct from change.claimed_by)
    limit 1;
    if found then
        raise exception 'message % %', wrong.message_id, wrong.fault using errcode = 'check_violation';
    end if;
    return null;
end $$;

-- The one way in which an event changes a message: it proves that the provider took it. Whoever takes events in may do
-- that and nothing else. Rows are locked in order, so that two posts that prove the same messages never deadlock.
create function ledger.accept_proven(proven uuid[]) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    accepted_count bigint;
begin
    perform from ledger.message
    where
        message_id = any(proven)
        and (state in ('unknown', 'presumed_lost') or state = 'planned' and attempt_count > 0)
    order by message_id
    for update;
    if not found then
        return 0;
    end if;
    update ledger.message as message
    set
        state = 'accepted',
        reason = 'proven by an event',
        claimed_at = coalesce(message.claimed_at, message.attempted_at),
        lease_until = null,
        accepted_at = greatest(message.attempted_at, proof.occurred_at),
        provider = coalesce(message.provider, proof.provider),
        provider_message_id = coalesce(message.provider_message_id, proof.provider_message_id),
        state_at = clock_timestamp()
    from (
        select
            message_id,
            min(occurred_at) as occurred_at,
            min(provider) as provider,
            min(provider_message_id) as provider_message_id
        from ledger.provider_event
        where message_id = any(proven)
        group by message_id
    ) as proof
    where
        message.message_id = proof.message_id
        and (message.state in ('unknown', 'presumed_lost') or message.state = 'planned' and message.attempt_count > 0);
    get diagnostics accepted_count = row_count;
    return accepted_count;
end $$;

-- A transaction that writes stamps its rows with its own start, so rows from before the oldest one that is still open
-- may yet appear. One that has not written so far has no backend_xid; ours are counted from their first statement on,
-- because they may be about to write. With the owner's rights: other logins' sessions are nobody else's to see.
create function ledger.known_until() returns timestamptz
language sql volatile security definer set search_path = pg_catalog, pg_temp as $$
    select least(now(), min(xact_start))
    from pg_stat_activity
    where
        datname = current_database()
        and pid <> pg_backend_pid()
        and (backend_xid is not null or application_name = 'safar' and state <> 'idle')
$$;

create table ledger.access_log (
    access_id bigint generated always as identity primary key,
    verb text not null,
    subject_kind text not null check (subject_kind in ('contact', 'message', 'address', 'run')),
    subject_id text not null,
    used_by text not null,
    recorded_at timestamptz not null default now()
);
create index access_log_subject on ledger.access_log (subject_id);
comment on table ledger.access_log is 'Append-only: one row per look at, export or erasure of a person''s data by hand. An address stands here as its keyed hash.';
create trigger only_grows before update or delete or truncate on ledger.access_log
    for each statement execute function ledger.refuse_change();

-- An epoch begins before the first call of each dispatch, here and in a file beside the database. A ledger that does
-- not know the file's epoch is an older one: it has forgotten calls.
alter table ledger.epoch
    add column sequence bigint generated always as identity unique,
    add column cause text not null default 'founded' check (cause in ('founded', 'dispatch', 'reconciled')),
    add column business_at timestamptz;
comment on table ledger.epoch is 'Append-only: one row per stretch of calls to a provider. The newest stands in ledger-epoch.json too, outside the database.';
comment on column ledger.epoch.business_at is 'Business time at its beginning: what a restored ledger forgot, the provider did after that of its newest epoch.';

create table ledger.sent_elsewhere (
    provider text not null,
    provider_message_id text not null,
    channel text not null,
    campaign text not null,
    step text not null,
    address_hash text not null,
    seen_at timestamptz not null,
    reconciled_at timestamptz not null,
    recorded_at timestamptz not null default now(),
    primary key (provider, provider_message_id)
);
create index sent_elsewhere_address on ledger.sent_elsewhere (address_hash, campaign, step);
comment on table ledger.sent_elsewhere is
    'Append-only: one row per mail that the provider took and a restored ledger had forgotten. Which occurrence it was '
    'about is not known any more: to the same address the same step is not planned again for anything that began before '
    'reconciled_at (business time), and never where there is but one occurrence.';
comment on column ledger.sent_elsewhere.seen_at is 'Business time of the mail''s last event.';
create trigger only_grows before update or delete or truncate on ledger.sent_elsewhere
    for each statement execute function ledger.refuse_change();

-- Rights. Everybody reads with the rights of a group; only the owner may change the schema, switch triggers off,
-- truncate, or delete from a table that only grows.
grant usage on schema ledger to safar_dbt, safar_build, safar_deliver, safar_intake, safar_read;
revoke all on function ledger.accept_proven(uuid[]), ledger.known_until() from public;

-- Later migrations of this owner: what they create is read by these three, and written by whom they grant it to.
grant select on all tables in schema ledger to safar_dbt, safar_build, safar_deliver;
alter default privileges in schema ledger grant select on tables to safar_dbt, safar_build, safar_deliver;

-- Extract, pin, gate and publish.
grant execute on function ledger.known_until() to safar_build;
grant insert on ledger.run, ledger.access_log to safar_build;
grant insert, update on
    ledger.source_load, ledger.model_result, ledger.campaign_gate, ledger.campaign_step to safar_build;
grant insert, update (until_sequence), delete on ledger.address, ledger.contact_alias to safar_build;
grant insert, update (recorded_at) on
    ledger.permission_event, ledger.suppression, ledger.goal_seen to safar_build;

-- Plan, dispatch, collect feedback, keep house, reconcile.
grant execute on function ledger.accept_proven(uuid[]) to safar_deliver, safar_intake;
grant insert on
    ledger.plan_result, ledger.permission_event, ledger.suppression, ledger.epoch, ledger.sent_elsewhere,
    ledger.access_log to safar_deliver;
grant insert, update on
    ledger.approval, ledger.rehearsal, ledger.published_template, ledger.published_template_current to safar_deliver;
grant insert, update (lifted_at) on ledger.stop to safar_deliver;
grant insert, update (own_state) on ledger.action to safar_deliver;
grant insert, delete, update (lease_until) on ledger.claim to safar_deliver;
grant insert, update (
    state, reason, due_at, claimed_at, claimed_by, lease_until, attempt_count, attempted_at, accepted_at,
    provider, provider_message_id, state_at
) on ledger.message to safar_deliver;

-- The public web process.
grant select, insert on ledger.provider_event, ledger.permission_event, ledger.suppression to safar_intake;
grant select (
    message_id, run_id, campaign, step, contact_id, channel, class, topic, locale, address, address_hash,
    address_key_id, state, planned_at, accepted_at
) on ledger.message to safar_intake;

-- People and dashboards: everything but addresses, what was written into a message, and what a provider said.
grant select on
    ledger.epoch, ledger.run, ledger.source_load, ledger.model_result, ledger.campaign_gate, ledger.campaign_step,
    ledger.action, ledger.action_outcome, ledger.claim, ledger.message_transition, ledger.legal_transition,
    ledger.plan_result, ledger.approval, ledger.rehearsal, ledger.stop, ledger.goal_seen, ledger.contact_alias,
    ledger.suppression, ledger.published_template, ledger.published_template_current, ledger.sent_elsewhere
    to safar_read;
grant select (
    message_id, action_id, run_id, campaign, step, occurrence_key, contact_id, channel, class, topic, priority,
    template, locale, address_hash, address_key_id, state, reason, entry_occurred_at, due_at, expires_at, planned_at,
    claimed_at, attempt_count, attempted_at, accepted_at, provider, provider_message_id, recorded_at, state_at
) on ledger.message to safar_read;
grant select (
    contact_id, channel, address_hash, address_key_id, is_valid, locale, time_zone, from_sequence, until_sequence, recorded_at
) on ledger.address to safar_read;
grant select (
    permission_event_id, channel, topic, address_hash, contact_id, state, source, source_key, occurred_at, recorded_at
) on ledger.permission_event to safar_read;
grant select (
    provider, event_id, message_id, provider_message_id, event_type, channel, address_hash, occurred_at, is_late, recorded_at
) on ledger.provider_event to safar_read;
