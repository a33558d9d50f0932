create table ledger.erasure (
    erasure_id uuid primary key default gen_random_uuid(),
    origin text not null,
    requested_by text not null,
    sealed bytea,
    requested_at timestamptz not null default now(),
    finished_at timestamptz,
    check (finished_at is null or sealed is null)
);
comment on table ledger.erasure is
    'One row per person whose data is or was erased. sealed says, encrypted, what must still be found; it is empty once every place is done.';
comment on column ledger.erasure.origin is 'command (safar erase), reapply (after a restore), or the source that told us of its own erasure.';

create table ledger.erasure_place (
    erasure_id uuid not null references ledger.erasure,
    place text not null,
    sequence int not null,
    status text not null default 'open' check (status in ('open', 'done')),
    not_before timestamptz not null default now(),
    attempt_count int not null default 0,
    row_count bigint,
    detail text,
    status_at timestamptz not null default now(),
    primary key (erasure_id, place)
);
comment on table ledger.erasure_place is 'One row per erasure and place: done, or open with why. detail names no person. Wall time.';
create index erasure_place_open on ledger.erasure_place (erasure_id) where status = 'open';

create table ledger.tombstone (
    kind text not null,
    subject_hash text not null,
    address_key_id text not null,
    surrogate text not null,
    erasure_id uuid not null references ledger.erasure,
    erased_at timestamptz not null default now(),
    primary key (kind, subject_hash)
);
create index tombstone_erasure on ledger.tombstone (erasure_id);
comment on table ledger.tombstone is
    'Append-only: one row per address, phone number, vendor id and contact id of an erased person, as a keyed hash, with the random name under which amounts and dates go on.';
comment on column ledger.tombstone.kind is 'email, phone, contact, or the name of the source whose record it is.';
create trigger only_grows before update or delete or truncate on ledger.tombstone
    for each statement execute function ledger.refuse_change();

create function ledger.swap_mentions(told text, patterns text[], surrogates text[]) returns text
language plpgsql immutable as $$
begin
    for place in 1..coalesce(array_length(patterns, 1), 0) loop
        told := regexp_replace(told, patterns[place], surrogates[place], 'gi');
    end loop;
    return told;
end $$;

-- What an erasure rewrites in the ledger, whoever runs it, and only for an erasure that is under way. Messages are found
-- by an index; every other table that may name a person is read through.
create function ledger.forget_person(
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
                'message', 'message_transition', 'provider_event', 'claim', 'legal_transition', 'tombstone', 'erasure',
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

-- What retention may take out of the ledger, and from when on: addresses and texts once nothing more can happen to
-- their message, versions of an address that are over, rehearsals. The rows stay, for they are counted.
create function ledger.let_go(target text, before timestamptz) returns bigint
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
        else
            raise exception 'ledger.% keeps what it has', target using errcode = 'check_violation';
    end case;
    get diagnostics touched = row_count;
    perform set_config('safar.rewriting', 'off', true);
    return touched;
end $$;
revoke all on function ledger.let_go(text, timestamptz) from public;
grant execute on function ledger.let_go(text, timestamptz) to safar_deliver;

revoke all on function ledger.forget_person(uuid, text[], text[], text[], text[], text[]) from public;
grant execute on function ledger.forget_person(uuid, text[], text[], text[], text[], text[]) to safar_deliver;
grant insert, update on ledger.erasure, ledger.erasure_place to safar_build, safar_deliver;
grant insert on ledger.tombstone to safar_build, safar_deliver;
grant select on ledger.erasure_place, ledger.tombstone to safar_read;
grant select (erasure_id, origin, requested_at, finished_at) on ledger.erasure to safar_read;
