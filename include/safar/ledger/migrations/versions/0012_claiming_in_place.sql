-- A plan writes its people in the order of their ids, and a claim takes them in the order of the plan: what the last
-- look asks of a person stands beside what it asks of the next. With the class in it, the index tells by itself who
-- has had too few messages to be capped; messages of years are not read for that.
drop index ledger.message_caps;
create index message_caps on ledger.message (contact_id, channel, class, claimed_at) where claimed_at is not null;

-- The index answers alone: what somebody allows, and in which zone they are.
drop index ledger.permission_event_address;
create index permission_event_address on ledger.permission_event (
    address_hash, channel, occurred_at desc, permission_event_id desc
) include (topic, state);
drop index ledger.address_current;
create unique index address_current on ledger.address (contact_id, channel) include (time_zone) where until_sequence is null;

-- An index answers alone only of pages that a vacuum has seen, and by default that comes when a fifth of the rows is new.
alter table ledger.message set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.02);
alter table ledger.permission_event set (autovacuum_vacuum_insert_scale_factor = 0.02);
alter table ledger.address set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.02);
