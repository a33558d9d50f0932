-- Two clocks, by column. Business time: as_of, due_at, expires_at, planned_at, claimed_at, attempted_at,
-- accepted_at, occurred_at. Wall time: recorded_at (start of the writing transaction: what a run knows
-- is what was recorded before its pin), lease_until, pinned_at, state_at.

-- Ids that grow with time (UUID version 7), so that rows written together lie together in table and indexes.
create function ledger.new_id() returns uuid language sql volatile parallel safe as $$
    select encode(
        set_bit(set_bit(overlay(
            uuid_send(gen_random_uuid())
            placing substring(int8send((extract(epoch from clock_timestamp()) * 1000)::bigint) from 3)
            from 1 for 6
        ), 52, 1), 53, 1), 'hex'
    )::uuid
$$;

create table ledger.epoch (
    epoch_id uuid primary key,
    recorded_at timestamptz not null default now()
);
comment on table ledger.epoch is 'One row per life of this ledger; a copy outside tells a restored backup from the running one.';

create table ledger.run (
    run_id text primary key,
    sequence bigint generated always as identity unique,
    cadence text not null check (cadence in ('nightly', 'intraday', 'replay')),
    dag_id text not null,
    airflow_run_id text not null,
    as_of timestamptz not null,
    known_at jsonb not null,
    rules_version text not null,
    pinned_at timestamptz not null default now(),
    unique (dag_id, airflow_run_id)
);
comment on table ledger.run is 'One row per pinned build: what it may know (known_at per source) and up to which event time (as_of, exclusive).';

create table ledger.source_load (
    load_id text primary key,
    source text not null,
    landed_at timestamptz not null,
    status text not null check (status in ('landed', 'checked', 'rolled_back')),
    rows jsonb not null default '{}',
    quarantined_count bigint not null default 0,
    message text,
    recorded_at timestamptz not null default now(),
    status_at timestamptz not null default now(),
    unique (source, landed_at)
);
comment on table ledger.source_load is 'One row per load of a source; landed_at is the landing clock, strictly increasing per source; only checked loads are ever read.';

create table ledger.model_result (
    run_id text not null references ledger.run,
    node text not null,
    status text not null check (status in ('green', 'red')),
    message text,
    recorded_at timestamptz not null default clock_timestamp(),
    primary key (run_id, node)
);
comment on table ledger.model_result is 'One row per run and dbt node (unique_id): its last result in this run, its tests as nodes of their own.';

create table ledger.campaign_gate (
    run_id text not null references ledger.run,
    campaign text not null,
    is_blocked boolean not null,
    reason text,
    recorded_at timestamptz not null default now(),
    primary key (run_id, campaign)
);
comment on table ledger.campaign_gate is 'One row per run and campaign: may it decide, and if not, why.';

create table ledger.campaign_step (
    campaign text not null,
    step text not null,
    kind text not null,
    first_seen_run_id text,
    retired_at timestamptz,
    recorded_at timestamptz not null default now(),
    primary key (campaign, step)
);
comment on table ledger.campaign_step is 'One row per step name ever pinned; a name is part of what makes a message unique and is never reused.';

create table ledger.action (
    action_id uuid primary key,
    run_id text not null references ledger.run,
    campaign text not null,
    step text not null,
    occurrence_key text not null,
    contact_id text not null,
    kind text not null check (kind in ('message', 'coupon', 'points', 'crm', 'audience', 'webhook')),
    class text not null check (class in ('marketing', 'transactional')),
    -- Only for kinds without messages; a message action has the state of its last message.
    own_state text check (own_state in ('planned', 'claimed', 'attempting', 'accepted', 'failed', 'unknown', 'presumed_lost', 'cancelled', 'expired')),
    entry_occurred_at timestamptz not null,
    due_at timestamptz not null,
    expires_at timestamptz not null,
    planned_at timestamptz not null,
    recorded_at timestamptz not null default now(),
    constraint action_once unique (campaign, step, occurrence_key, contact_id),
    check ((kind = 'message') = (own_state is null))
);
create index action_contact on ledger.action (contact_id);

create table ledger.message (
    message_id uuid primary key,
    action_id uuid not null references ledger.action,
    run_id text not null references ledger.run,
    campaign text not null,
    step text not null,
    occurrence_key text not null,
    contact_id text not null,
    channel text not null check (channel in ('email', 'push', 'sms', 'in_app')),
    class text not null check (class in ('marketing', 'transactional')),
    topic text not null default 'marketing',
    priority int not null,
    template text not null,
    locale text not null,
    address text,
    address_hash text not null,
    address_key_id text not null,
    fields jsonb not null default '{}',
    state text not null default 'planned' check (state in ('planned', 'claimed', 'attempting', 'accepted', 'failed', 'unknown', 'presumed_lost', 'cancelled', 'expired')),
    reason text,
    entry_occurred_at timestamptz not null,
    due_at timestamptz not null,
    expires_at timestamptz not null,
    planned_at timestamptz not null,
    claimed_at timestamptz,
    claimed_by text,
    lease_until timestamptz,
    attempt_count int not null default 0,
    attempted_at timestamptz,
    accepted_at timestamptz,
    provider text,
    provider_message_id text,
    recorded_at timestamptz not null default now(),
    state_at timestamptz not null default now(),
    -- Indexes look at these, never at state itself: a message that goes from claimed to attempting to accepted
    -- then changes no indexed value, and PostgreSQL rewrites only the row (HOT), not seven index entries.
    is_planned boolean not null generated always as (state = 'planned') stored,
    is_unknown boolean not null generated always as (state = 'unknown') stored,
    constraint message_once unique (campaign, step, occurrence_key, channel, address_hash)
) with (fillfactor = 70);
create index message_due on ledger.message (channel, campaign, step, template, locale, class, due_at, message_id)
    where is_planned;
create index message_unknown on ledger.message (message_id) where is_unknown;
create index message_caps on ledger.message (contact_id, channel, claimed_at) where claimed_at is not null;
create index message_action on ledger.message (action_id);
comment on table ledger.message is 'One row per channel and address under an action. The row is committed before anything leaves.';
comment on column ledger.message.lease_until is 'Of a planned message: not before this wall time (the provider asked us to wait).';

create table ledger.claim (
    claim_id text primary key,
    lease_until timestamptz not null,
    message_ids uuid[] not null,
    recorded_at timestamptz not null default now()
);
comment on table ledger.claim is
    'One row per batch in a dispatcher''s hands (message.claimed_by), gone once each of its messages is accounted for. '
    'When lease_until is over, whoever dispatches next accounts for them.';

create table ledger.message_transition (
    message_id uuid not null,
    from_state text not null,
    to_state text not null,
    reason text,
    business_at timestamptz,
    recorded_at timestamptz not null default now(),
    transition_id bigint generated always as identity
);
create index message_transition_message on ledger.message_transition (message_id, transition_id);
comment on table ledger.message_transition is 'One row per change of a message''s state, written by a trigger; what a pinned run reads.';

create table ledger.legal_transition (
    from_state text not null,
    to_state text not null,
    primary key (from_state, to_state)
);
insert into ledger.legal_transition values
    ('planned', 'claimed'), ('planned', 'cancelled'), ('planned', 'expired'),
    ('claimed', 'planned'), ('claimed', 'attempting'), ('claimed', 'cancelled'), ('claimed', 'expired'),
    ('attempting', 'accepted'), ('attempting', 'failed'), ('attempting', 'planned'), ('attempting', 'unknown'),
    ('unknown', 'accepted'), ('unknown', 'presumed_lost'), ('unknown', 'planned'),
    ('presumed_lost', 'accepted');

-- Nested loops are off because the plan is cached at the first, often tiny, update of a session.
create function ledger.guard_message_state() returns trigger language plpgsql set enable_nestloop = off as $$
declare
    wrong record;
begin
    with change as materialized (
        select
            after.message_id, before.state as from_state, after.state as to_state, after.reason,
            case after.state
                when 'accepted' then after.accepted_at
                when 'claimed' then after.claimed_at
                else after.attempted_at
            end as business_at,
            before.state = 'unknown' and after.state = 'planned'
            and (after.class <> 'transactional' or after.attempt_count > 1) as is_second_attempt
        from before
        join after using (message_id)
        where before.state <> after.state
    ),
    recorded as (
        insert into ledger.message_transition (message_id, from_state, to_state, reason, business_at)
        select message_id, from_state, to_state, reason, business_at from change
    )
    select change.message_id, change.from_state, change.to_state, change.is_second_attempt
    into wrong
    from change
    left join ledger.legal_transition as legal using (from_state, to_state)
    where legal.from_state is null or change.is_second_attempt
    limit 1;
    if not found then
        return null;
    end if;
    if wrong.is_second_attempt then
        raise exception 'an unknown message is attempted again only once, and only when it is transactional'
            using errcode = 'check_violation';
    end if;
    raise exception 'message % may not go from % to %', wrong.message_id, wrong.from_state, wrong.to_state
        using errcode = 'check_violation';
end $$;
create trigger guard_message_state after update on ledger.message
    referencing old table as before new table as after
    for each statement execute function ledger.guard_message_state();

create function ledger.refuse_deletion() returns trigger language plpgsql as $$
begin
    raise exception 'rows of ledger.% are never deleted; end an entry with a row in ledger.stop', tg_table_name
        using errcode = 'check_violation';
end $$;
create trigger refuse_deletion before delete or truncate on ledger.message
    for each statement execute function ledger.refuse_deletion();
create trigger refuse_deletion before delete or truncate on ledger.action
    for each statement execute function ledger.refuse_deletion();

create table ledger.plan_result (
    run_id text not null references ledger.run,
    campaign text not null,
    step text not null,
    contact_id text not null,
    occurrence_key text not null,
    result text not null check (result in ('planned', 'already_planned', 'same_address', 'expired', 'not_approved', 'blocked')),
    action_id uuid references ledger.action,
    recorded_at timestamptz not null default now(),
    primary key (run_id, campaign, step, contact_id, occurrence_key)
);
comment on table ledger.plan_result is 'One row per send decision: what planning made of it. A (run, campaign) with a row here is frozen.';

create table ledger.approval (
    run_id text not null references ledger.run,
    campaign text not null,
    candidate_count bigint not null,
    limit_count bigint not null,
    decision text not null check (decision in ('not_needed', 'approved', 'rejected', 'timed_out')),
    decided_by text,
    recorded_at timestamptz not null default now(),
    primary key (run_id, campaign)
);
comment on table ledger.approval is 'One row per run and campaign that asked, or did not need to ask, a human about its size.';

create table ledger.rehearsal (
    run_id text not null references ledger.run,
    campaign text not null,
    step text not null,
    contact_id text not null,
    occurrence_key text not null,
    result text not null,
    recorded_at timestamptz not null default now(),
    primary key (run_id, campaign, step, contact_id, occurrence_key)
);
comment on table ledger.rehearsal is 'One row per send decision of a dry run: what would have been planned. Never read by dispatch.';

create table ledger.provider_event (
    provider text not null,
    event_id text not null,
    message_id uuid,
    provider_message_id text,
    event_type text not null,
    channel text not null default 'email',
    address_hash text,
    occurred_at timestamptz not null,
    url_domain text,
    reason text,
    is_late boolean not null default false,
    payload jsonb not null default '{}',
    recorded_at timestamptz not null default now(),
    primary key (provider, event_id)
);
create index provider_event_message on ledger.provider_event (message_id, event_type);
create index provider_event_recorded on ledger.provider_event (recorded_at);

create table ledger.permission_event (
    permission_event_id bigint generated always as identity primary key,
    channel text not null,
    topic text not null,
    address_hash text not null,
    contact_id text,
    state text not null check (state in ('granted', 'revoked')),
    source text not null,
    source_key text not null,
    proof jsonb not null default '{}',
    occurred_at timestamptz not null,
    recorded_at timestamptz not null default now(),
    unique (source, source_key)
);
create index permission_event_address on ledger.permission_event (address_hash, channel, occurred_at desc, permission_event_id desc);
comment on table ledger.permission_event is 'Append-only: each grant or withdrawal, with where it came from and its proof. Topic all covers every topic.';

create table ledger.suppression (
    suppression_id bigint generated always as identity primary key,
    channel text not null,
    address_hash text not null,
    reason text not null,
    origin text not null,
    origin_key text not null,
    occurred_at timestamptz not null,
    recorded_at timestamptz not null default now(),
    unique (origin, origin_key)
);
create index suppression_address on ledger.suppression (address_hash, channel);

create table ledger.stop (
    stop_id bigint generated always as identity primary key,
    campaign text,
    step text,
    channel text,
    contact_id text,
    occurrence_key text,
    reason text not null,
    created_by text not null,
    recorded_at timestamptz not null default now(),
    lifted_at timestamptz
);
create index stop_active on ledger.stop (recorded_at) where lifted_at is null;
comment on table ledger.stop is 'One row per order to stop; a null column means any. All null stops everything.';

create table ledger.goal_seen (
    campaign text not null,
    contact_id text not null,
    goal_at timestamptz not null,
    recorded_at timestamptz not null default now(),
    primary key (campaign, contact_id, goal_at)
);

create table ledger.address (
    contact_id text not null,
    channel text not null,
    address text,
    address_hash text not null,
    address_key_id text not null,
    is_valid boolean not null,
    locale text,
    time_zone text,
    from_sequence bigint not null,
    until_sequence bigint,
    recorded_at timestamptz not null default now(),
    primary key (contact_id, channel, from_sequence)
);
create unique index address_current on ledger.address (contact_id, channel) where until_sequence is null;
create index address_hash on ledger.address (address_hash, channel);
comment on table ledger.address is 'One row per contact, channel and version, valid for runs with from_sequence <= run.sequence < until_sequence.';

create table ledger.contact_alias (
    alias_id text not null,
    contact_id text not null,
    from_sequence bigint not null,
    until_sequence bigint,
    recorded_at timestamptz not null default now(),
    primary key (alias_id, from_sequence)
);
create unique index contact_alias_current on ledger.contact_alias (alias_id) where until_sequence is null;

create table ledger.published_template (
    provider text not null,
    template text not null,
    locale text not null,
    content_hash text not null,
    provider_template_id text not null,
    provider_version_id text not null,
    recorded_at timestamptz not null default now(),
    primary key (provider, template, locale, content_hash)
);

create table ledger.published_template_current (
    provider text not null,
    template text not null,
    locale text not null,
    content_hash text not null,
    provider_template_id text not null,
    recorded_at timestamptz not null default now(),
    primary key (provider, template, locale)
);

create view ledger.action_outcome as
select action.action_id, action.campaign, action.step, action.run_id, coalesce(action.own_state, last_message.state) as state
from ledger.action as action
left join lateral (
    select message.state
    from ledger.message as message
    where message.action_id = action.action_id
    order by message.recorded_at desc, message.message_id
    limit 1
) as last_message on true;
comment on view ledger.action_outcome is 'One row per action: the state of its last message, or its own.';

insert into ledger.epoch (epoch_id) values (gen_random_uuid());
