-- A pending yes is not a yes: somebody said it, and what their country or their form requires is still to come. It
-- grants nothing and takes nothing away, so whoever has a permission keeps it while they confirm another.
alter table ledger.permission_event drop constraint permission_event_state_check;
alter table ledger.permission_event
    add constraint permission_event_state_check check (state in ('granted', 'pending', 'revoked')),
    -- recorded_at may be stamped earlier, by the run that knew the row first; a claim has seen nothing before this.
    add column written_at timestamptz not null default clock_timestamp();
comment on column ledger.permission_event.written_at is 'Wall time at which the row was really written.';
comment on column ledger.permission_event.proof is
    'What shows that it was said: text_version, form, stated_at; of a confirmation also confirms (the source_key of the '
    'pending row), confirmed_at and confirmation_method.';

alter table ledger.suppression add column written_at timestamptz not null default clock_timestamp();
comment on column ledger.suppression.written_at is 'Wall time at which the row was really written.';

-- not valid: what was written before has no such proof.
alter table ledger.permission_event
    add constraint permission_event_proof_check check (
        jsonb_typeof(proof) = 'object'
        and (not proof ? 'text_version' or jsonb_typeof(proof -> 'text_version') = 'string')
        and (not proof ? 'form' or jsonb_typeof(proof -> 'form') = 'string')
        and (not proof ? 'stated_at' or proof ->> 'stated_at' ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}T' and pg_input_is_valid(proof ->> 'stated_at', 'timestamptz'))
        and (not proof ? 'confirmed_at' or proof ->> 'confirmed_at' ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}T' and pg_input_is_valid(proof ->> 'confirmed_at', 'timestamptz'))
        and (
            not proof ? 'confirms'
            or state = 'granted'
            and proof ?& array['text_version', 'form', 'stated_at', 'confirmed_at', 'confirmation_method']
        )
    ) not valid;

-- A confirmation names what it confirms: a pending row of the same source, address, channel and topic that nobody took
-- back in the meantime.
create function ledger.require_pending() returns trigger language plpgsql as $$
begin
    if exists (
        select from ledger.permission_event as pending
        where
            pending.source = new.source
            and pending.source_key = new.proof ->> 'confirms'
            and pending.state = 'pending'
            and pending.address_hash = new.address_hash
            and pending.channel = new.channel
            and pending.topic = new.topic
            and pending.occurred_at <= new.occurred_at
            and not exists (
                select from ledger.permission_event as withdrawal
                where
                    withdrawal.address_hash = pending.address_hash
                    and withdrawal.channel = pending.channel
                    and withdrawal.topic in (pending.topic, 'all')
                    and withdrawal.state = 'revoked'
                    and withdrawal.occurred_at >= pending.occurred_at
            )
    ) then
        return new;
    end if;
    raise exception 'a confirmation must name a pending permission of the same source, address, channel and topic'
        using errcode = 'check_violation';
end $$;
create trigger require_pending before insert on ledger.permission_event for each row
    when (new.proof ? 'confirms')
    execute function ledger.require_pending();

create table ledger.suppression_lift (
    suppression_id bigint primary key references ledger.suppression,
    reason text not null,
    lifted_by text not null,
    occurred_at timestamptz not null,
    recorded_at timestamptz not null default now(),
    written_at timestamptz not null default clock_timestamp()
);
comment on table ledger.suppression_lift is
    'Append-only: one row per suppression that does not hold any more, with who lifted it and why. A later reason is a '
    'row of its own in ledger.suppression and holds again.';

-- An erased person is never written to again, whoever asks.
create function ledger.refuse_lift() returns trigger language plpgsql as $$
begin
    if exists (
        select from ledger.suppression
        where suppression_id = new.suppression_id and (origin = 'erasure' or reason = 'erased')
    ) then
        raise exception 'suppression % follows from an erasure and is never lifted', new.suppression_id
            using errcode = 'check_violation';
    end if;
    return new;
end $$;
create trigger refuse_lift before insert on ledger.suppression_lift for each row execute function ledger.refuse_lift();
create trigger only_grows before update or delete or truncate on ledger.suppression_lift
    for each statement execute function ledger.refuse_change();

create view ledger.suppression_in_force as
select suppression.*
from ledger.suppression as suppression
where not exists (
    select from ledger.suppression_lift as lift where lift.suppression_id = suppression.suppression_id
);
comment on view ledger.suppression_in_force is 'One row per suppression that nobody has lifted.';

-- Bounces in a row are counted per address.
create index provider_event_bounces on ledger.provider_event (address_hash, channel, occurred_at)
    where event_type in ('bounce', 'delivered');

-- The last word counts among what had been said by a moment and was known by another; at the same instant a
-- withdrawal does. Topic all speaks about every topic. What is pending says nothing.
create function ledger.find_permission(
    of_address_hash text, of_channel text, of_topic text, said_until timestamptz, known_until timestamptz
) returns setof ledger.permission_event language sql stable rows 1 as $$
    select event.*
    from ledger.permission_event as event
    where
        event.address_hash = of_address_hash
        and event.channel = of_channel
        and event.topic in (of_topic, 'all')
        and event.state <> 'pending'
        and event.occurred_at <= said_until
        and event.written_at <= known_until
    order by event.occurred_at desc, event.state = 'revoked' desc, event.permission_event_id desc
    limit 1
$$;

create view ledger.message_permission as
select
    message.message_id,
    message.campaign,
    message.step,
    message.contact_id,
    message.channel,
    message.class,
    message.topic,
    message.state as message_state,
    message.claimed_at,
    claim.known_at as claim_known_at,
    coalesce(then_known.state, 'never_asked') as state_then,
    then_known.source as source_then,
    then_known.proof as proof_then,
    then_known.occurred_at as occurred_at_then,
    then_known.written_at as learned_at_then,
    then_known.permission_event_id as permission_event_id_then,
    coalesce(now_known.state, 'never_asked') as state_as_known_today,
    now_known.source as source_as_known_today,
    now_known.occurred_at as occurred_at_as_known_today,
    now_known.written_at as learned_at_as_known_today,
    suppressed.reason as suppression_reason_then,
    suppressed.origin as suppression_origin_then,
    suppressed.occurred_at as suppressed_at_then,
    case
        when suppressed.reason is not null then 'suppressed: ' || suppressed.reason
        when message.class = 'transactional' then 'allowed: transactional messages need no permission'
        when then_known.state = 'granted' then 'allowed: granted by ' || then_known.source
        when then_known.state = 'revoked' then 'not allowed: withdrawn by ' || then_known.source
        else 'not allowed: never asked'
    end as verdict_then
from ledger.message as message
cross join lateral (
    select max(transition.recorded_at) as known_at
    from ledger.message_transition as transition
    where transition.message_id = message.message_id and transition.to_state = 'claimed'
) as claim
left join lateral ledger.find_permission(
    message.address_hash, message.channel, message.topic, 'infinity', claim.known_at
) as then_known on true
left join lateral ledger.find_permission(
    message.address_hash, message.channel, message.topic, message.claimed_at, 'infinity'
) as now_known on true
left join lateral (
    select suppression.reason, suppression.origin, suppression.occurred_at
    from ledger.suppression as suppression
    where
        suppression.address_hash = message.address_hash
        and suppression.channel = message.channel
        and suppression.written_at <= claim.known_at
        and not exists (
            select from ledger.suppression_lift as lift
            where lift.suppression_id = suppression.suppression_id and lift.written_at <= claim.known_at
        )
    order by suppression.written_at, suppression.suppression_id
    limit 1
) as suppressed on true
where message.claimed_at is not null;
comment on view ledger.message_permission is
    'One row per message that was ever claimed: the permission that the claim found (…_then: what the ledger knew at '
    'that second), and what was true at that second by all that is known today (…_as_known_today), with source and proof.';

-- What is created here may be read by dbt, build and deliver by default privileges (0002).
grant select on ledger.suppression_lift, ledger.suppression_in_force to safar_read;
grant select on ledger.suppression_lift, ledger.suppression_in_force to safar_intake;
grant insert on ledger.suppression_lift to safar_deliver;
