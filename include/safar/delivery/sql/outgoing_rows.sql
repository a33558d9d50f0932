-- One row per send decision that is about to be planned: what expectations/outgoing judges. No address, no field's
-- value leaves this query, except the numbers and dates that an audience's own suite asks for.
select
    encode(sha256(convert_to(concat_ws(':', decision.run_id, decision.step, decision.contact_id, decision.occurrence_key), 'UTF8')), 'hex') as key_hash,
    decision.address_hash,
    case
        when decision.address_hash is not null and decision.class = 'marketing'
            then concat_ws(':', decision.run_id, decision.address_hash)
    end as run_address,
    nullif(trim(decision.locale), '') as locale,
    decision.template,
    decision.step,
    decision.due_at < decision.expires_at as lifetime_is_positive,
    (
        select count(*)
        from unnest({templates}::text[], {fields}::text[]) as required (template, field)
        where
            required.template = decision.template
            and coalesce(trim(decision.fields ->> required.field), '') = ''
    ) as empty_fields_count,
    (
        select count(*)
        from jsonb_each_text(decision.fields) as link
        where link.key like '%\_url' and link.value is not null and link.value !~* '^https?://[^/[:space:]@]+'
    ) as relative_links_count
    {numbers}
from decisions.fct_decisions as decision
where decision.run_id = any({run_ids}::text[]) and decision.campaign = {campaign} and decision.outcome = 'send'
