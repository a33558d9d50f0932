{#-
  The frequency cap, once. The decisions ask it of a whole run, the last look of delivery of the messages that it
  is about to claim: what that runs is compiled from these macros (`make caps`), and a test compares the two.

  Whether an earlier message takes one of the places that a cap gives, at an instant. What may have left counts
  from the moment of its claim; the window is open at its far end: exactly `within` ago no longer counts.

  earlier: alias of a row of messages. channel, class: what the cap is about. since: the instant minus `within`.
-#}
{% macro takes_cap_place(earlier, channel, class, since) -%}
    {{ earlier }}.channel = {{ channel }}
    and {{ earlier }}.class = {{ class }}
    and {{ earlier }}.state in ('claimed', 'attempting', 'accepted', 'unknown', 'presumed_lost')
    and {{ earlier }}.claimed_at > {{ since }}
{%- endmacro %}

{#- Whether so many places taken leave none. -#}
{% macro is_cap_full(places_taken, messages) -%}
    {{ places_taken }} >= {{ messages }}
{%- endmacro %}

{#- Who somebody is by now: people that turned out to be one are one for the caps. -#}
{% macro name_person(contact_id, alias) -%}
    coalesce({{ alias }}.contact_id, {{ contact_id }})
{%- endmacro %}

{#-
  The condition of the last look, over the tables of the ledger: `message` is about to leave and `person` tells
  who it is for. Written in the order in which the index message_caps answers it: name by name of that person.
  Whoever has fewer claims than a cap allows, whatever became of them, is not capped; the index alone tells that, so
  the messages of most people are never read.
-#}
{% macro is_capped_at_claim() -%}
    case when {{ _exceeds_any_cap(_count_claims()) }} then {{ _exceeds_any_cap(_count_places_taken()) }} else false end
{%- endmacro %}

{% macro _exceeds_any_cap(count) -%}
    exists (
        select from unnest(%(cap_messages)s::int[], %(cap_since)s::timestamptz[]) as cap (messages, since)
        where {{ is_cap_full(count, 'cap.messages') }}
    )
{%- endmacro %}

{% macro _count_places_taken() -%}
    (
            select count(*)
            from ledger.message as earlier
            where
                earlier.contact_id = {{ _any_name_of_person() }}
                and {{ takes_cap_place('earlier', 'message.channel', 'message.class', 'cap.since') | indent(12) }}
        )
{%- endmacro %}

{% macro _count_claims() -%}
    (
            select count(*)
            from ledger.message as earlier
            where
                earlier.contact_id = {{ _any_name_of_person() }}
                and earlier.channel = message.channel
                and earlier.class = message.class
                and earlier.claimed_at > cap.since
        )
{%- endmacro %}

{% macro _any_name_of_person() -%}
    any(array(
                    select alias.alias_id
                    from ledger.contact_alias as alias
                    where alias.contact_id = person.person_id and alias.until_sequence is null
                ) || person.person_id)
{%- endmacro %}

{#-
  The caps of the run's campaigns, each once: what it says, and the campaigns whose messages meet it. `ordinal`
  names the column that counts its channel, class and window.
-#}
{% macro caps_of_run() -%}
    {%- set windows = [] -%}
    {%- set caps = {} -%}
    {%- for campaign in campaigns_of_run() if campaign.class == 'marketing' -%}
        {%- for cap in campaign.caps if cap.class == campaign.class -%}
            {%- set window = [cap.channel, cap.class, cap.window_seconds] -%}
            {%- if window not in windows -%}
                {%- do windows.append(window) -%}
            {%- endif -%}
            {%- set key = window + [cap.limit] -%}
            {%- do caps.setdefault(
                key | string, dict(cap, ordinal=windows.index(window) + 1, campaigns=[])
            ).campaigns.append(campaign.name) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(caps.values() | list) }}
{%- endmacro %}
