-- Confirmation mails are messages like all others: claimed, looked at a last time, sent at most once, accounted for.
-- Nobody decided them, so they belong to a run of their own and stand in no account of decisions.
alter table ledger.run drop constraint run_cadence_check;
alter table ledger.run
    add constraint run_cadence_check check (cadence in ('nightly', 'intraday', 'replay', 'on_request'));

create table ledger.confirmation_origin (
    request_id text primary key,
    network_hash text not null,
    requested_at timestamptz not null,
    recorded_at timestamptz not null default now()
);
create index confirmation_origin_network on ledger.confirmation_origin (network_hash, requested_at);
create index confirmation_origin_age on ledger.confirmation_origin (requested_at);
comment on table ledger.confirmation_origin is
    'One row per confirmation mail of the last day: the keyed hash of the network (IPv4 /24, IPv6 /64) that asked for it.';

create table ledger.language_choice (
    language_choice_id bigint generated always as identity primary key,
    channel text not null,
    address_hash text not null,
    locale text not null,
    message_id uuid not null references ledger.message,
    occurred_at timestamptz not null,
    recorded_at timestamptz not null default now()
);
create index language_choice_address on ledger.language_choice (address_hash, channel, language_choice_id desc);
comment on table ledger.language_choice is
    'Append-only: each language that somebody chose in the preference centre; the last one decides what planning writes.';
create trigger only_grows before update or truncate on ledger.language_choice
    for each statement execute function ledger.refuse_change();

-- The one message that the public web process can bring about: to the address whose pending permission it names, in
-- class transactional, once per request. With the owner's rights, because it may write no message itself.
create function ledger.plan_confirmation(
    of_request_id text,
    to_address text,
    to_address_key_id text,
    in_locale text,
    with_fields jsonb,
    planned_at timestamptz,
    expires_at timestamptz
) returns uuid language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    pending ledger.permission_event;
    owner_id text;
    of_action_id uuid := ledger.new_id();
    of_message_id uuid := ledger.new_id();
begin
    select event.* into pending
    from ledger.permission_event as event
    where event.source = 'double_opt_in' and event.source_key = of_request_id and event.state = 'pending';
    if not found then
        raise exception 'no permission waits for confirmation %', of_request_id using errcode = 'check_violation';
    end if;
    select address.contact_id into owner_id
    from ledger.address as address
    where
        address.address_hash = pending.address_hash
        and address.channel = pending.channel
        and address.until_sequence is null
    order by address.contact_id
    limit 1;
    -- Somebody whom no source knows yet is known by the address alone.
    owner_id := coalesce(pending.contact_id, owner_id, 'address:' || pending.address_hash);
    insert into ledger.run (run_id, cadence, dag_id, airflow_run_id, as_of, known_at, rules_version)
    values ('on_request', 'on_request', 'intake', 'on_request', plan_confirmation.planned_at, '{}', 'none')
    on conflict do nothing;
    -- Held back until a person approves the campaign it would never leave: no catalogue declares it, its text comes with
    -- the product, and whoever gets it is the one who was named in the request.
    insert into ledger.first_live (campaign, channel, opened_at, approved_at, approved_by)
    values ('permission_confirmation', pending.channel, plan_confirmation.planned_at, now(), 'asked for one by one')
    on conflict do nothing;
    insert into ledger.action (
        action_id, run_id, campaign, step, occurrence_key, contact_id, kind, class, entry_occurred_at, due_at,
        expires_at, planned_at
    )
    values (
        of_action_id, 'on_request', 'permission_confirmation', 'ask', of_request_id, owner_id, 'message',
        'transactional', plan_confirmation.planned_at, plan_confirmation.planned_at, plan_confirmation.expires_at,
        plan_confirmation.planned_at
    );
    insert into ledger.message (
        message_id, action_id, run_id, campaign, step, occurrence_key, contact_id, channel, class, topic, priority,
        template, locale, address, address_hash, address_key_id, fields, entry_occurred_at, due_at, expires_at,
        planned_at
    )
    values (
        of_message_id, of_action_id, 'on_request', 'permission_confirmation', 'ask', of_request_id, owner_id,
        pending.channel, 'transactional', pending.topic, 100, 'permission_confirmation', in_locale, to_address,
        pending.address_hash, to_address_key_id, with_fields, plan_confirmation.planned_at,
        plan_confirmation.planned_at, plan_confirmation.expires_at, plan_confirmation.planned_at
    );
    return of_message_id;
end $$;
revoke all on function ledger.plan_confirmation(text, text, text, text, jsonb, timestamptz, timestamptz) from public;

do $$
begin
    if to_regrole('safar_intake') is not null then
        grant execute on function
            ledger.plan_confirmation(text, text, text, text, jsonb, timestamptz, timestamptz) to safar_intake;
        grant select, insert, delete on ledger.confirmation_origin to safar_intake;
        grant select, insert on ledger.language_choice to safar_intake;
        grant select (occurrence_key) on ledger.message to safar_intake;
        grant select (contact_id, channel, address_hash, until_sequence, is_valid) on ledger.address to safar_intake;
    end if;
end $$;
