{#- Everybody in an audience that is not blocked gets "send"; enough to see what `decide` hands over. -#}
{{ config(pre_hook="{% if is_incremental() %}delete from {{ this }} where run_id = '{{ pinned().run_id }}'{% endif %}") }}
{%- set campaigns = fromjson(env_var('SAFAR_CAMPAIGNS')).campaigns | selectattr('cadence', 'equalto', target.name) | list if execute else [] -%}
with decisions as (
    {% for campaign in campaigns if campaign.name not in pinned().blocked_campaigns -%}
    select
        '{{ campaign.name }}' as campaign,
        '{{ campaign.steps[0].name }}' as step,
        contact_id,
        occurrence_key,
        'send' as outcome
    from {{ target.schema }}_audiences.{{ campaign.audience }}
    union all
    {% endfor %}
    select '' as campaign, '' as step, '' as contact_id, '' as occurrence_key, '' as outcome where false
)

select '{{ pinned().run_id }}' as run_id, * from decisions
