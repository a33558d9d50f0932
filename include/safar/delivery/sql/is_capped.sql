-- Compiled by `make caps` from dbt_project/macros/decisions/frequency_caps.sql: change it there.
-- Part of take_last_look.sql; `message` is about to leave, `person` tells who it is for.
case when exists (
        select from unnest(%(cap_messages)s::int[], %(cap_since)s::timestamptz[]) as cap (messages, since)
        where (
            select count(*)
            from ledger.message as earlier
            where
                earlier.contact_id = any(array(
                    select alias.alias_id
                    from ledger.contact_alias as alias
                    where alias.contact_id = person.person_id and alias.until_sequence is null
                ) || person.person_id)
                and earlier.channel = message.channel
                and earlier.class = message.class
                and earlier.claimed_at > cap.since
        ) >= cap.messages
    ) then exists (
        select from unnest(%(cap_messages)s::int[], %(cap_since)s::timestamptz[]) as cap (messages, since)
        where (
            select count(*)
            from ledger.message as earlier
            where
                earlier.contact_id = any(array(
                    select alias.alias_id
                    from ledger.contact_alias as alias
                    where alias.contact_id = person.person_id and alias.until_sequence is null
                ) || person.person_id)
                and earlier.channel = message.channel
                and earlier.class = message.class
                and earlier.state in ('claimed', 'attempting', 'accepted', 'unknown', 'presumed_lost')
                and earlier.claimed_at > cap.since
        ) >= cap.messages
    ) else false end
