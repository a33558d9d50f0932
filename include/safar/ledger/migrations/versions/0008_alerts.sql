create table ledger.alert (
    alert_id bigint generated always as identity primary key,
    kind text not null,
    key text not null,
    title text not null,
    text text not null,
    task_url text,
    recorded_at timestamptz not null default clock_timestamp(),
    closed_at timestamptz
);
create unique index alert_open on ledger.alert (key) where closed_at is null;
comment on table ledger.alert is
    'One row per cause that somebody was told of. While closed_at is null the same key raises no other.';

create table ledger.alert_delivery (
    alert_id bigint not null references ledger.alert,
    target text not null,
    attempt_count int not null default 0,
    delivered_at timestamptz,
    problem text,
    primary key (alert_id, target)
);
create index alert_undelivered on ledger.alert_delivery (alert_id, target) where delivered_at is null;
comment on table ledger.alert_delivery is 'One row per alert and target: when it was taken, or why not yet.';

-- History only grows, so a summary per range of pages finds the last days of it without an index of every row.
create index message_transition_recorded on ledger.message_transition using brin (recorded_at);

-- Whoever works may say what went wrong, and those who only look may read it: an alert quotes no value of a row.
grant insert, update on ledger.alert, ledger.alert_delivery to safar_build, safar_deliver;
grant select on ledger.alert, ledger.alert_delivery to safar_read;
