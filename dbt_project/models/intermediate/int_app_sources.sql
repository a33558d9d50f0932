with events as (
    select * from {{ ref('stg_app__events') }}
),

referrers as (
    select * from {{ ref('referrers') }}
),

click_ids as (
    select * from {{ ref('click_ids') }}
),

mediums as (
    select * from {{ ref('traffic_mediums') }}
),

hosts as (
    select distinct referrer_host
    from events
    where referrer_host is not null
),

listed_hosts as (
    select
        hosts.referrer_host,
        referrers.source,
        referrers.medium,
        row_number() over (
            partition by hosts.referrer_host
            order by length(referrers.domain) desc, referrers.domain
        ) as match_rank
    from hosts
    inner join referrers
        on
            {{ dbt.concat(["'.'", "hosts.referrer_host", "'.'"]) }}
            like {{ dbt.concat(["'%.'", "referrers.domain", "'.%'"]) }}
),

-- From one of our own pages to the next nobody has come anew; www or another part of the same site is the same site.
arrivals as (
    select
        *,
        case
            when
                page_host is not null
                and {{ is_same_site('referrer_host', 'page_host') }}
                then null
            else referrer_host
        end as outside_host
    from events
),

told as (
    select
        arrivals.app_event_id,
        arrivals.utm_source,
        arrivals.utm_medium,
        arrivals.utm_campaign,
        arrivals.utm_content,
        arrivals.utm_term,
        click_ids.source as click_source,
        click_ids.medium as click_medium,
        coalesce(listed_hosts.source, arrivals.outside_host) as referrer_source,
        case
            when arrivals.outside_host is not null then coalesce(listed_hosts.medium, 'referral')
        end as referrer_medium
    from arrivals
    left join click_ids on arrivals.click_id_name = click_ids.parameter
    left join listed_hosts on arrivals.outside_host = listed_hosts.referrer_host and listed_hosts.match_rank = 1
),

-- A link that names its source speaks for itself; then the click that a platform marked; then the page before.
chosen as (
    select
        app_event_id,
        utm_campaign,
        utm_content,
        utm_term,
        coalesce(utm_source, click_source, referrer_source) as source,
        case
            when utm_medium is not null then utm_medium
            when utm_source is not null then coalesce(click_medium, 'not told')
            else coalesce(click_medium, referrer_medium)
        end as told_medium
    from told
    where
        utm_source is not null or utm_medium is not null or utm_campaign is not null or click_source is not null
        or (referrer_source is not null and referrer_medium <> 'ignored')
),

sources as (
    select
        chosen.app_event_id,
        coalesce(chosen.source, 'not told') as source,
        coalesce(mediums.medium, chosen.told_medium, 'not told') as medium,
        coalesce(mediums.channel, 'other') as channel,
        chosen.utm_campaign as campaign,
        chosen.utm_content as content,
        chosen.utm_term as term
    from chosen
    left join mediums on chosen.told_medium = mediums.told_medium
)

select * from sources
