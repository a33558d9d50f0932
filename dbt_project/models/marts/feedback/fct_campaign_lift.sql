{%- set counts = ['treated_converted_count', 'treated_count', 'held_out_converted_count', 'held_out_count'] -%}

with responses as (
    select * from {{ ref('fct_campaign_responses') }}
    where assignment in ('treated', 'held_out')
),

campaign_counts as (
    select
        campaign,
        count(case when assignment = 'treated' then 1 end) as treated_count,
        count(case when assignment = 'held_out' then 1 end) as held_out_count,
        count(case when assignment = 'treated' then ordered_at end) as treated_converted_count,
        count(case when assignment = 'held_out' then ordered_at end) as held_out_converted_count,
        cast(sum(case when assignment = 'treated' then revenue_amount else 0 end) as numeric(18, 2))
            as treated_revenue_amount,
        cast(sum(case when assignment = 'held_out' then revenue_amount else 0 end) as numeric(18, 2))
            as held_out_revenue_amount,
        max(currency) as currency,
        count(case when not is_window_over then 1 end) as open_windows_count
    from responses
    group by campaign
),

campaign_lifts as (
    select
        campaign,
        treated_count,
        held_out_count,
        treated_converted_count,
        held_out_converted_count,
        {{ round_share(share(counts[0], counts[1])) }} as treated_rate,
        {{ round_share(share(counts[2], counts[3])) }} as held_out_rate,
        {{ round_share(share(counts[0], counts[1]) ~ ' - ' ~ share(counts[2], counts[3])) }} as difference,
        {{ round_share(newcombe_interval(*counts, bound='low')) }} as difference_low,
        {{ round_share(newcombe_interval(*counts, bound='high')) }} as difference_high,
        {{ round_share(wald_interval(*counts, bound='low')) }} as wald_low,
        {{ round_share(wald_interval(*counts, bound='high')) }} as wald_high,
        treated_revenue_amount,
        held_out_revenue_amount,
        currency,
        open_windows_count
    from campaign_counts
)

select * from campaign_lifts
