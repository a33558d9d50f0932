{#-
  The rows of a source table as this run may know them: of each key the version that was open when the
  source was last checked, by the newest modification that the vendor told. Give it an alias.

  key: the natural key's columns. modified_at: the vendor's own modification time, when it tells one.
  with_deleted: keep the records that the vendor says are gone (`_deleted`).
-#}
{% macro as_known(source_name, table_name, key, modified_at=none, with_deleted=false) -%}
    (
        select *
        from (
            select
                *,
                row_number() over (
                    partition by {{ key | join(', ') }}
                    order by
                        {% if modified_at %}{{ modified_at }} desc nulls last,{% endif %}
                        _dlt_valid_from desc, _dlt_id
                ) as version_rank
            from {{ source(source_name, table_name) }}
            where
                _dlt_valid_from <= {{ known_at(source_name) }}
                and (_dlt_valid_to is null or _dlt_valid_to > {{ known_at(source_name) }})
        ) as versions
        where version_rank = 1{% if not with_deleted %} and not coalesce(_deleted, false){% endif %}
    )
{%- endmacro %}

{#- Every version of a source table's rows that was ever told up to what this run may know. Give it an alias. -#}
{% macro as_told(source_name, table_name) -%}
    (
        select *
        from {{ source(source_name, table_name) }}
        where _dlt_valid_from <= {{ known_at(source_name) }}
    )
{%- endmacro %}
