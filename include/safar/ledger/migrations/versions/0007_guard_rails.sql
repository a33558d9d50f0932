alter table ledger.stop add column lifted_by text;
alter table ledger.stop add column request_id text unique;
comment on column ledger.stop.request_id is
    'Of an order given through Airflow: its run, so that a task that is cleared orders nothing anew.';
-- Two dispatchers that see the same figures open the breaker once.
create unique index stop_breaker on ledger.stop (channel) where created_by = 'circuit breaker' and lifted_at is null;

alter table ledger.campaign_gate add column announced_at timestamptz;
comment on column ledger.campaign_gate.announced_at is 'When somebody was told that the campaign is blocked, wall time.';

alter table ledger.approval drop constraint approval_decision_check;
alter table ledger.approval add constraint approval_decision_check
    check (decision in ('not_needed', 'approved', 'rejected', 'timed_out', 'self_approved'));

create table ledger.first_live (
    campaign text not null,
    channel text not null,
    opened_at timestamptz not null,
    recorded_at timestamptz not null default now(),
    approved_at timestamptz,
    approved_by text,
    primary key (campaign, channel),
    check ((approved_at is null) = (approved_by is null))
);
comment on table ledger.first_live is
    'One row per campaign and channel that was ever about to write to real people. Until it is approved only the '
    'messages with a place in first_live_message may be claimed. opened_at is business time.';

create table ledger.first_live_message (
    message_id uuid primary key references ledger.message,
    campaign text not null,
    channel text not null,
    recorded_at timestamptz not null default now(),
    foreign key (campaign, channel) references ledger.first_live
);
create index first_live_message_campaign on ledger.first_live_message (campaign, channel);
comment on table ledger.first_live_message is
    'One row per message that was claimed before its campaign was approved. It keeps its place when a call is repeated.';

create table ledger.provider_call (
    call_id bigint generated always as identity primary key,
    channel text not null,
    provider text not null,
    campaign text not null,
    answer text not null,
    message_count int not null,
    accepted_count int not null,
    failed_count int not null,
    recorded_at timestamptz not null default now()
);
create index provider_call_settled on ledger.provider_call (channel, provider, call_id desc)
    where accepted_count + failed_count > 0;
comment on table ledger.provider_call is 'One row per call that got an answer, or none: what the circuit breaker counts.';

create index provider_event_harm on ledger.provider_event (recorded_at)
    where event_type in ('bounce', 'dropped', 'spamreport');

-- Roles belong to the whole server; where nobody has created them there is nobody to grant to.
do $$
begin
    if exists (select from pg_roles where rolname = 'safar_deliver') then
        grant insert on ledger.provider_call, ledger.first_live_message to safar_deliver;
        grant insert, update (opened_at, approved_at, approved_by) on ledger.first_live to safar_deliver;
        grant insert, update (lifted_at, lifted_by) on ledger.stop to safar_deliver;
    end if;
end $$;
