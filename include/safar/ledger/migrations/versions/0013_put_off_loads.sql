alter table ledger.source_load
    drop constraint source_load_status_check,
    add column resumes_at timestamptz,
    add constraint source_load_status_check check (status in ('landed', 'checked', 'rolled_back', 'put_off')),
    add constraint source_load_put_off_says_until check ((status = 'put_off') = (resumes_at is not null));
comment on column ledger.source_load.resumes_at is 'Business time before which the vendor takes no more calls; of loads that were put off.';
