"""Where a marked column goes in a query, by the rules of SQL that our models use."""

from __future__ import annotations

import pytest

from safar.catalogue.column_descent import ROWS, Descent, trace_columns
from safar.catalogue.sql_words import name_macros

TABLES = {"clinic.visits": {"diagnosis": "clinic.visits.diagnosis"}}
MACROS = name_macros(
    [
        "{% macro parse_text(column) %} trim({{ column }}) {% endmacro %}{% macro ill() %} diagnosis is not null {% endmacro %}"
    ]
)
VISITS = "{{ as_known('clinic', 'visits', ['id']) }}"


def trace(sql: str) -> Descent:
    return trace_columns(sql.replace("VISITS", VISITS), MACROS, TABLES, lambda name: TABLES.get(name, {}))


@pytest.mark.parametrize(
    ("sql", "handed_on"),
    [
        ("select id, diagnosis from VISITS as visits", {"diagnosis"}),
        ("select id, visits.diagnosis as note from VISITS as visits", {"note"}),
        ("select * from VISITS as visits", {"diagnosis"}),
        ("select visits.* from VISITS as visits", {"diagnosis"}),
        ("select id, upper(diagnosis) as note from VISITS as visits", {"note"}),
        ("select id, case when diagnosis = 'x' then 1 end as flag from VISITS as visits", {"flag"}),
        ("select id, {{ parse_text('diagnosis') }} as note from VISITS as visits", {"note"}),
        ("select id, {{ ill() }} as is_ill from VISITS as visits", {"is_ill"}),
        ("select id, diagnosis::text from VISITS as visits", {"diagnosis"}),
        ("select id, to_jsonb(visits) as everything from VISITS as visits", {"everything"}),
        ("select id, 'diagnosis' as word -- diagnosis\n from VISITS as visits", set()),
        ("select id, cast(null as text) as diagnosis from VISITS as visits", set()),
        ("select id from VISITS as visits", set()),
        ("select count(*) as visits_count from VISITS as visits group by id", set()),
        ("select o.diagnosis as other, v.id from VISITS as v inner join others as o on v.id = o.id", set()),
        ("select v.diagnosis as note, o.id from others as o left join VISITS as v on v.id = o.id", {"note"}),
        ("select id from VISITS as visits where diagnosis = 'x'", {ROWS}),
        ("select id from people where id in (select id from VISITS as visits where diagnosis = 'x')", {ROWS}),
        ("select id from people inner join VISITS as visits on visits.diagnosis = people.word", {ROWS}),
        ("select id, (select max(diagnosis) from VISITS as visits) as note from people", {"note"}),
        ("select id from (select id, diagnosis from VISITS as visits) as inner_visits", set()),
        ("select id, remark from people union all select id, diagnosis from VISITS as visits", {"remark", "diagnosis"}),
        ("with a as (select id, diagnosis as d from VISITS as v), b as (select * from a) select d as e from b", {"e"}),
        ("with a as (select * from VISITS as v), b as (select id from a) select * from b", set()),
        ("with a as (select id from VISITS as v where diagnosis = 'x') select id from a", {ROWS}),
        (
            "with first as (select id, diagnosis from VISITS as v), {% for n in range(3) %} round_{{ n }} as ("
            "select id, diagnosis from {{ 'first' if loop.first else 'round_' ~ n }} ), {% endfor %}"
            "done as (select * from round_{{ 2 }}) select * from done",
            {"diagnosis"},
        ),
    ],
)
def test_a_marked_column_is_followed(sql: str, handed_on: set[str]) -> None:
    assert set(trace(sql).columns) == handed_on


def test_what_a_query_only_looks_at_is_told_too() -> None:
    descent = trace("with a as (select id from VISITS as v order by diagnosis) select id from a")
    assert descent.uses == {"diagnosis": "clinic.visits.diagnosis"}
