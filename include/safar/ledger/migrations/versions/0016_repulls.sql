alter table ledger.source_load add column repull jsonb;
comment on column ledger.source_load.repull is 'What was asked for again (since, until, night, table); null for a load of what had changed. A re-pull does not make a source fresh.';
