-- Caps count what a person got under every name that they have had: from the person to the names.
create index contact_alias_person on ledger.contact_alias (contact_id) where until_sequence is null;
