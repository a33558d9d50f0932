create table ledger.app_event (
    key_name text not null,
    event_id text not null,
    key_kind text not null check (key_kind in ('client', 'server')),
    call text not null check (call in ('track', 'identify', 'page', 'screen')),
    event_name text,
    user_id text,
    anonymous_id text,
    email text,
    address_hash text,
    occurred_at timestamptz not null,
    received_at timestamptz not null,
    is_late boolean not null default false,
    is_bot boolean not null default false,
    page_host text,
    page_path text,
    referrer_host text,
    campaign jsonb not null default '{}',
    click_id_name text,
    click_id text,
    platform text,
    app_version text,
    locale text,
    time_zone text,
    push_token text,
    properties jsonb not null default '{}',
    traits jsonb not null default '{}',
    recorded_at timestamptz not null default now(),
    primary key (key_name, event_id),
    check (user_id is not null or anonymous_id is not null),
    check (email is null or (key_kind = 'server' and call = 'identify' and address_hash is not null))
);
create index app_event_user on ledger.app_event (user_id) where user_id is not null;
create index app_event_device on ledger.app_event (anonymous_id) where anonymous_id is not null;
create index app_event_address on ledger.app_event (address_hash) where address_hash is not null;
create index app_event_told on ledger.app_event (user_id, occurred_at) where key_kind = 'server';
create index app_event_recorded on ledger.app_event using brin (recorded_at);
comment on table ledger.app_event is
    'Append-only: one row per call that an app, a site or our own server posted, by its key''s name and its message id.';
comment on column ledger.app_event.user_id is 'app:<the app''s own id of the user>.';
comment on column ledger.app_event.email is 'Only what a server key told in an identify call.';
comment on column ledger.app_event.occurred_at is 'The sender''s time, corrected by what its clock was wrong; business time.';
comment on column ledger.app_event.campaign is 'UTM parameters of the page, or what the library read of them.';
create trigger only_grows before update or delete or truncate on ledger.app_event
    for each statement execute function ledger.refuse_change();

-- What an erasure makes of a person's events: what they did stays countable under the surrogate, on a device with a
-- random name. A device that somebody else has used too keeps its name where they were known; what nobody was known to
-- do on it goes with the person.
create function ledger.forget_app_user(former text[], surrogates text[]) returns bigint
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    devices text[];
    new_names text[];
    touched bigint;
begin
    devices := array(
        select distinct event.anonymous_id from ledger.app_event as event
        where event.user_id = any(former) and event.anonymous_id is not null
    );
    new_names := array(
        select 'erased-' || replace(gen_random_uuid()::text, '-', '') from unnest(devices) as device (anonymous_id)
    );
    update ledger.app_event as event
    set
        user_id = swap.surrogate,
        anonymous_id = renamed.new_name,
        email = null, address_hash = null, page_path = null, click_id = null, push_token = null, traits = '{}',
        properties = coalesce((
            select jsonb_object_agg(property.key, property.value)
            from jsonb_each(event.properties) as property
            where
                property.key in (
                    'product_id', 'sku', 'category', 'price', 'quantity', 'currency', 'value', 'revenue', 'total', 'step'
                )
                and jsonb_typeof(property.value) in ('number', 'string')
        ), '{}')
    from ledger.app_event as found
    left join unnest(former, surrogates) as swap (user_id, surrogate) on found.user_id = swap.user_id
    left join unnest(devices, new_names) as renamed (anonymous_id, new_name)
        on found.anonymous_id = renamed.anonymous_id
    where
        found.key_name = event.key_name and found.event_id = event.event_id
        and (found.user_id = any(former) or (found.user_id is null and found.anonymous_id = any(devices)));
    get diagnostics touched = row_count;
    return touched;
end $$;
revoke all on function ledger.forget_app_user(text[], text[]) from public;

create or replace function ledger.forget_person(
    wanted uuid, former text[], surrogates text[], patterns text[], replacements text[], hashes text[]
) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    target record;
    touched bigint := 0;
    one bigint;
begin
    if not exists (select from ledger.erasure where erasure_id = wanted and finished_at is null) then
        raise exception 'erasure % is not under way', wanted using errcode = 'check_violation';
    end if;
    if exists (
        select from unnest(hashes) as given (subject_hash)
        where not exists (select from ledger.tombstone where tombstone.subject_hash = given.subject_hash)
    ) then
        raise exception 'without a tombstone nobody is forgotten' using errcode = 'check_violation';
    end if;
    -- Not in the function's own settings: those want a superuser for a parameter of ours.
    perform set_config('safar.rewriting', 'on', true);
    update ledger.message as message
    set
        address = null, fields = '{}',
        reason = ledger.swap_mentions(message.reason, patterns, replacements),
        contact_id = swap.surrogate
    from unnest(former, surrogates) as swap (contact_id, surrogate)
    where message.contact_id = swap.contact_id;
    get diagnostics one = row_count;
    touched := touched + one;
    update ledger.message set address = null, fields = '{}'
    where address is not null and address_hash = any(hashes);
    get diagnostics one = row_count;
    touched := touched + one;
    update ledger.address set address = null, locale = null, time_zone = null, is_valid = false
    where address_hash = any(hashes) or contact_id = any(former);
    -- Vendors' statements are told apart by a hash that anybody can make who guesses the address.
    update ledger.permission_event
    set
        source_key = case when source_key ~ '^[0-9a-f]{32}$' then 'erased:' || gen_random_uuid() else source_key end,
        proof = jsonb_strip_nulls(jsonb_build_object('message_id', proof -> 'message_id', 'event', proof -> 'event'))
    where address_hash = any(hashes) or contact_id = any(former);
    -- Nobody writes to the address again: its language says something about nobody but the person.
    delete from ledger.language_choice where address_hash = any(hashes);
    update ledger.suppression set origin_key = 'erased:' || gen_random_uuid()
    where address_hash = any(hashes) and origin_key ~ '^[0-9a-f]{32}$';
    touched := touched + ledger.forget_app_user(former, surrogates);
    for target in
        select
            class.relname as name,
            string_agg(
                format(
                    case attribute.atttypid when 'jsonb'::regtype
                        then '%1$I = ledger.swap_mentions(%1$I::text, $1, $2)::jsonb'
                        else '%1$I = ledger.swap_mentions(%1$I, $1, $2)'
                    end, attribute.attname
                ), ', '
            ) as settings
        from pg_catalog.pg_class as class
        join pg_catalog.pg_attribute as attribute on attribute.attrelid = class.oid
        where
            class.relnamespace = 'ledger'::regnamespace and class.relkind in ('r', 'p')
            and attribute.attnum > 0 and not attribute.attisdropped and attribute.attgenerated = ''
            and attribute.atttypid in ('text'::regtype, 'jsonb'::regtype)
            -- They hold no word of a person, and they are long.
            and class.relname not in (
                'message', 'message_transition', 'provider_event', 'app_event', 'claim', 'legal_transition', 'tombstone', 'erasure',
                'published_template', 'published_template_current'
            )
            -- What rules read. They hold no word of a person either, and whoever may have somebody forgotten must not
            -- be able to turn a withdrawal into a yes.
            and attribute.attname not in (
                'state', 'result', 'decision', 'status', 'cadence', 'kind', 'class', 'channel', 'topic', 'campaign',
                'step', 'origin', 'address_hash', 'network_hash'
            )
            and (class.relname, attribute.attname) <> ('suppression', 'reason')
        group by class.relname
    loop
        execute format(
            'update ledger.%I as told set %s where exists (select from unnest($1) as known (pattern) where told::text ~* known.pattern)',
            target.name, target.settings
        ) using patterns, replacements;
        get diagnostics one = row_count;
        touched := touched + one;
    end loop;
    perform set_config('safar.rewriting', 'off', true);
    return touched;
end $$;

-- What retention may take out, and from when on; events of apps with the devices that they name.
create or replace function ledger.let_go(target text, before timestamptz) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    touched bigint;
begin
    perform set_config('safar.rewriting', 'on', true);
    case target
        when 'message' then
            update ledger.message set address = null, fields = '{}'
            where
                state_at < before and (address is not null or fields <> '{}')
                and state in ('accepted', 'failed', 'presumed_lost', 'cancelled', 'expired');
        when 'address' then
            update ledger.address set address = null, locale = null, time_zone = null
            where
                recorded_at < before and until_sequence is not null
                and (address is not null or locale is not null or time_zone is not null);
        when 'rehearsal' then
            delete from ledger.rehearsal where recorded_at < before;
        when 'app_event' then
            -- What our own server told of a user is no event of a day: it holds until it is told anew.
            delete from ledger.app_event
            where recorded_at < before and not (key_kind = 'server' and call = 'identify' and user_id is not null);
        else
            raise exception 'ledger.% keeps what it has', target using errcode = 'check_violation';
    end case;
    get diagnostics touched = row_count;
    perform set_config('safar.rewriting', 'off', true);
    return touched;
end $$;
-- Roles belong to the whole server; where nobody has created them there is nobody to grant to.
do $$
begin
    if to_regrole('safar_intake') is not null then
        grant select, insert on ledger.app_event to safar_intake;
        grant select (kind, subject_hash) on ledger.tombstone to safar_intake;
        grant select (
            key_name, event_id, key_kind, call, event_name, occurred_at, received_at, is_late, is_bot, page_host,
            referrer_host, campaign, click_id_name, platform, app_version, locale, time_zone, recorded_at
        ) on ledger.app_event to safar_read;
    end if;
end $$;
