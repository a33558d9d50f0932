{#-
  For each journey at `ordinal`, reached at `reached_at`, the next step when it is due at as_of, and whether
  its condition on the answers to the step before holds by now. A click is an open too.
-#}
{% macro reach_next_step(journeys) -%}
    {%- set due_at = dbt.dateadd('second', 'steps.wait_seconds', 'journeys.reached_at') -%}
    select
        journeys.campaign,
        journeys.contact_id,
        journeys.occurrence_key,
        journeys.person_id,
        journeys.occurred_at,
        journeys.is_held_out,
        journeys.is_universal_control,
        steps.step,
        steps.ordinal,
        steps.channel,
        steps.template,
        steps.if_not_sent,
        {{ due_at }} as reached_at,
        case steps.condition
            when 'clicked' then coalesce(answers.is_clicked, false)
            when 'not clicked' then not coalesce(answers.is_clicked, false)
            when 'opened' then answers.campaign is not null
            when 'not opened' then answers.campaign is null
            else true
        end as is_condition_met
    from {{ journeys }} as journeys
    inner join steps
        on
            journeys.campaign = steps.campaign
            and steps.ordinal = journeys.ordinal + 1
    left join answers
        on
            steps.campaign = answers.campaign
            and steps.previous_step = answers.step
            and journeys.contact_id = answers.contact_id
            and journeys.occurrence_key = answers.occurrence_key
    where {{ due_at }} <= {{ as_of() }}
{%- endmacro %}
