with summaries as (
    select * from {{ ref('fct_purchase_summaries') }}
),

segments as (
    select * from {{ ref('rfm_segments') }}
),

measured as (
    select
        contact_id,
        {{ dates_between('last_purchase_date', 'observed_until_date') }} as recency_days,
        purchase_days_count as frequency,
        net_amount as monetary_amount
    from summaries
),

-- The share of buyers who are strictly worse: equal people get equal scores, in whatever order they come.
ranked as (
    select
        *,
        percent_rank() over (order by recency_days desc) as r_rank,
        percent_rank() over (order by frequency) as f_rank,
        percent_rank() over (order by monetary_amount) as m_rank
    from measured
),

scored as (
    select
        contact_id,
        recency_days,
        frequency,
        monetary_amount,
        {{ score_rank('r_rank') }} as r_score,
        {{ score_rank('f_rank') }} as f_score,
        {{ score_rank('m_rank') }} as m_score
    from ranked
),

rfm as (
    select
        scored.contact_id,
        scored.recency_days,
        scored.frequency,
        scored.monetary_amount,
        scored.r_score,
        scored.f_score,
        scored.m_score,
        segments.segment
    from scored
    inner join segments
        on
            scored.r_score = segments.r_score
            and cast(round((scored.f_score + scored.m_score) / 2.0) as integer) = segments.fm_score
)

select * from rfm
