-- What is due, by what can share one call; the most urgent group first.
select campaign, step, template, locale, class, count(*) as due_count
from ledger.message
where
    is_planned
    and channel = %(channel)s
    and due_at <= %(now)s
    and (%(campaign)s::text is null or campaign = %(campaign)s)
    and (%(run_id)s::text is null or run_id = %(run_id)s)
    and (lease_until is null or lease_until <= now())
group by campaign, step, template, locale, class
order by max(priority) desc, min(due_at), campaign, step, template, locale, class
