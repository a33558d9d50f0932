"""The suite runner names table, rule and hashed keys, and nothing it writes holds a judged value."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from safar.errors import ConfigurationError
from safar.quality import CheckFailed, run_suite
from safar.workspace import Workspace

SUITE = """
tables:
  people:
    - type: expect_column_values_to_not_be_null
      kwargs: {column: name}
      severity: critical
    - type: expect_column_values_to_match_regex
      kwargs: {column: email, regex: '@'}
      severity: warning
    - type: expect_column_values_to_be_unique
      kwargs: {column: email}
      severity: critical
    - type: expect_table_row_count_to_be_between
      kwargs: {min_value: 1}
"""
QUERY = "select md5(email) as key_hash, email, name from people"


@pytest.fixture
def people(database: str, tmp_path: Path) -> Path:
    with psycopg.connect(database) as connection:
        connection.execute("create table people (email text, name text)")
        connection.execute("insert into people values ('anna@secret.example', 'Anna'), ('bert@secret.example', 'Bert')")
    file = tmp_path / "people.yml"
    file.write_text(SUITE)
    return file


def test_sound_rows_pass_and_two_runs_both_stay_in_data_docs(workspace: Workspace, database: str, people: Path) -> None:
    for run_name in ("night-1", "night-2"):
        result = run_suite(workspace, people, dsn=database, table="people", query=QUERY, run_name=run_name)
    assert result.findings == ()
    result.require_success()
    with psycopg.connect(database) as connection:
        sessions = connection.execute("select count(*) from pg_stat_activity where datname = current_database()")
        assert sessions.fetchone() == (1,)
    pages = [str(path) for path in result.data_docs.parent.rglob("*.html")]
    assert any("night-1" in page for page in pages)
    assert any("night-2" in page for page in pages)


def test_faults_name_table_rule_and_hashed_keys_and_leak_nothing(
    workspace: Workspace, database: str, people: Path
) -> None:
    with psycopg.connect(database) as connection:
        connection.execute("insert into people values ('carl-secret', 'Carl'), ('anna@secret.example', null)")
        hashes = connection.execute("select md5('carl-secret'), md5('anna@secret.example')").fetchone()
    assert hashes is not None
    result = run_suite(workspace, people, dsn=database, table="people", query=QUERY, run_name="night-1")
    by_rule = {finding.rule: finding for finding in result.findings}
    assert by_rule["expect_column_values_to_match_regex"].key_hashes == (hashes[0],)
    assert by_rule["expect_column_values_to_not_be_null"].key_hashes == (hashes[1],)
    assert by_rule["expect_column_values_to_be_unique"].unexpected_count == 2
    with pytest.raises(CheckFailed, match=rf"people: expect_column_values_to_not_be_null\(name\).*{hashes[1]}"):
        result.require_success()
    written = [path for path in (workspace.settings.home / "data_docs").rglob("*") if path.is_file()]
    assert len(written) > 3
    for path in written:
        content = path.read_text(errors="replace")
        assert "secret" not in content, path
        assert "Carl" not in content, path


def test_a_rule_that_cannot_be_evaluated_is_a_finding(workspace: Workspace, database: str, people: Path) -> None:
    query = "select md5(email) as key_hash, name from people"
    result = run_suite(workspace, people, dsn=database, table="people", query=query, run_name="night-1")
    assert {finding.rule for finding in result.critical} == {"expect_column_values_to_be_unique"}
    assert "email" in str(result.findings[0].observed)


def test_an_unknown_expectation_names_the_file(workspace: Workspace, database: str, people: Path) -> None:
    people.write_text("expectations: [{type: expect_magic, kwargs: {}}]")
    with pytest.raises(ConfigurationError, match=r"people\.yml"):
        run_suite(workspace, people, dsn=database, table="people", query=QUERY, run_name="night-1")
