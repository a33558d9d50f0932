"""What is checked once for all rows of a statement holds as a foreign key would."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

Ledger = psycopg.Connection[Any]
Unknown = psycopg.errors.ForeignKeyViolation

COPIED = {
    "action": "action_id = gen_random_uuid(), occurrence_key = row.occurrence_key || number",
    "message": "message_id = gen_random_uuid(), occurrence_key = row.occurrence_key || number",
    "plan_result": "occurrence_key = row.occurrence_key || number",
}
"""What a second row of the table must have for itself."""
RESULT = """
insert into ledger.plan_result (run_id, campaign, step, contact_id, occurrence_key, result, action_id)
select run_id, campaign, step, contact_id, occurrence_key, 'planned', action_id from ledger.action
"""


@pytest.fixture
def planned(message: Ledger) -> Ledger:
    message.execute(RESULT)
    return message


def copy_row(ledger: Ledger, table: str, column: str, unknown: str) -> None:
    """Writes three copies of the table's row in one statement; the second names what is not there."""
    columns = [
        row[0]
        for row in ledger.execute(
            "select attname from pg_attribute where attrelid = %s::regclass and attnum > 0"
            " and not attisdropped and attgenerated = ''",
            [f"ledger.{table}"],
        )
    ]
    own = dict(part.split(" = ") for part in COPIED[table].split(", "))
    own[column] = f"case number when 2 then {unknown} else row.{column} end"
    values = ", ".join(own.get(name, f"row.{name}") for name in columns)
    ledger.execute(
        f"insert into ledger.{table} ({', '.join(columns)}) "
        f"select {values} from ledger.{table} as row, generate_series(1, 3) as number"
    )


@pytest.mark.parametrize("table", COPIED)
def test_one_row_of_an_unknown_run_refuses_all(planned: Ledger, table: str) -> None:
    with pytest.raises(Unknown, match=rf"run nobody of ledger.{table} is not in ledger.run"):
        copy_row(planned, table, "run_id", "'nobody'")
    assert planned.execute(f"select count(*) from ledger.{table}").fetchone() == (1,)


@pytest.mark.parametrize("table", ["message", "plan_result"])
def test_one_row_of_an_unknown_action_refuses_all(planned: Ledger, table: str) -> None:
    with pytest.raises(Unknown, match=rf"of ledger.{table} is not in ledger.action"):
        copy_row(planned, table, "action_id", "gen_random_uuid()")
    assert planned.execute(f"select count(*) from ledger.{table}").fetchone() == (1,)


def test_known_runs_and_actions_are_taken(planned: Ledger) -> None:
    for table in COPIED:
        copy_row(planned, table, "run_id", "'r'")
        assert planned.execute(f"select count(*) from ledger.{table}").fetchone() == (4,)


def test_a_result_without_an_action_is_taken(planned: Ledger) -> None:
    copy_row(planned, "plan_result", "action_id", "null")
    assert planned.execute("select count(*) from ledger.plan_result where action_id is null").fetchone() == (1,)
