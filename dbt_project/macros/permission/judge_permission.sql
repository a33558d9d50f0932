{#-
  What a yes is worth: `yes`, `confirm` (the owner of the address must confirm it) or `no`. This is the one place where
  evidence becomes a permission: the ledger keeps the answer, and what decides and what sends read only that. A country
  that is not known says `confirm` to a form and `no` to the rest.
-#}
{% macro judge_evidence(statements, countries, sources) -%}
    case
        when
            {{ sources }}.source is null
            or {{ sources }}.needs_text_version and {{ statements }}.text_version is null
            or {{ sources }}.needs_form and {{ statements }}.form is null
            or {{ sources }}.needs_confirmation and {{ statements }}.confirmed_at is null
            then 'no'
        else case {{ statements }}.evidence
            when 'confirmed_opt_in' then 'yes'
            when 'single_opt_in' then coalesce({{ countries }}.single_opt_in, 'confirm')
            when 'imported_flag' then coalesce({{ countries }}.imported_flag, 'no')
            when 'purchase' then coalesce({{ countries }}.purchase, 'no')
            when 'nothing' then coalesce({{ countries }}.nothing, 'no')
            else 'no'
        end
    end
{%- endmacro %}
