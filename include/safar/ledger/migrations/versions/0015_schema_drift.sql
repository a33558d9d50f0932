alter table ledger.source_load add column drift jsonb not null default '{}';
comment on column ledger.source_load.drift is 'Table -> the columns that were undeclared, absent, vanished or retyped in this load; only tables where there are any.';
