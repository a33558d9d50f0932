-- Whoever claims for a campaign that is not approved waits here for the one before, so that both count the same places.
insert into ledger.first_live (campaign, channel, opened_at)
values (%(campaign)s, %(channel)s, %(now)s)
on conflict (campaign, channel) do update set opened_at = first_live.opened_at
returning approved_at is not null as is_approved
