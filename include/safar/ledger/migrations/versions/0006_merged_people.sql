-- Caps count what a person got under every name that they have had: from the person to the names.
create index contact_alias_person on ledger.contact_alias (contact_id) where until_sequence is null;

-- Whoever unsubscribes does so under every name: the web process finds the person's address of today. No name, no
-- address stands in here.
do $$
begin
    if to_regrole('safar_intake') is not null then
        grant select on ledger.contact_alias to safar_intake;
    end if;
end $$;
