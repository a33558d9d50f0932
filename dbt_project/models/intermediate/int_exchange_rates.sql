with rates as (
    select * from {{ ref('exchange_rates') }}
    where to_currency = '{{ var("currency") }}'
),

followed as (
    select
        currency,
        valid_from,
        lead(valid_from) over (partition by currency order by valid_from) as valid_before,
        rate as exchange_rate
    from rates
),

own as (
    select
        '{{ var("currency") }}' as currency,
        cast('0001-01-01' as date) as valid_from,
        cast(null as date) as valid_before,
        cast(1 as numeric(18, 8)) as exchange_rate
),

currency_periods as (
    select * from followed
    union all
    select * from own
)

select * from currency_periods
