insert into ledger.provider_call (channel, provider, campaign, answer, message_count, accepted_count, failed_count)
values (
    %(channel)s, %(provider)s, %(campaign)s, %(answer)s, %(message_count)s, %(accepted_count)s, %(failed_count)s
)
