"""A wrong row in the seeds of permission is refused with its file, its line, its field and what is allowed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from safar.catalogue.permission_rules import COUNTRIES, SOURCES, read_permission_rules
from safar.errors import ConfigurationError
from safar.settings import PROJECT_ROOT


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "seeds").mkdir()
    for name in (COUNTRIES, SOURCES):
        shutil.copy(PROJECT_ROOT / "dbt_project" / "seeds" / name, tmp_path / "seeds")
    return tmp_path


def test_the_projects_own_seeds_are_sound(project: Path) -> None:
    rules = read_permission_rules(project)
    germany = next(rule for rule in rules.countries if rule.country_code == "DE")
    assert (germany.single_opt_in, germany.imported_flag, germany.nothing) == ("confirm", "no", "no")
    ours = next(rule for rule in rules.sources if rule.source == "double_opt_in")
    assert (ours.needs_text_version, ours.needs_form, ours.needs_confirmation) == (True, True, True)


@pytest.mark.parametrize(
    ("file", "old", "new", "problem"),
    [
        (COUNTRIES, "DE,Germany,confirm,", "DE,Germany,perhaps,", ":8: single_opt_in: Input should be 'yes', 'confirm'"),
        (COUNTRIES, "DE,Germany,confirm,no,no,", "DE,Germany,confirm,no,confirm,", ":8: purchase: Input should be 'yes' or"),
        (COUNTRIES, "DE,Germany", "Deutschland,Germany", ":8: country_code: String should match pattern"),
        (COUNTRIES, "EG,Egypt", "DE,Egypt", ":9: says again what line 8 says"),
        (COUNTRIES, "US,United States,yes,yes,yes,no", "US,United States,yes,yes,yes", ":14: nothing: is missing"),
        (COUNTRIES, "US,United States,yes,yes,yes,no", "US,United States,yes,yes,yes,no,no", ":14: too_many_columns: is no column"),
        (SOURCES, "hubspot,single_opt_in", "hubspot,hearsay", ":5: evidence: Input should be 'confirmed_opt_in'"),
        (SOURCES, "hubspot,single_opt_in,true", "hubspot,single_opt_in,perhaps", ":5: needs_text_version: Input should be a valid boolean"),
        (SOURCES, "double_opt_in,confirmed_opt_in,true,true,true", "double_opt_in,confirmed_opt_in,true,true,false", "needs_confirmation is false"),
    ],
)  # fmt: skip
def test_a_wrong_row_says_where_and_what_is_allowed(project: Path, file: str, old: str, new: str, problem: str) -> None:
    path = project / "seeds" / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    with pytest.raises(ConfigurationError) as caught:
        read_permission_rules(project)
    assert str(path) in str(caught.value)
    assert problem in str(caught.value)


def test_a_missing_seed_is_no_reason_to_write_to_everybody(project: Path) -> None:
    (project / "seeds" / COUNTRIES).unlink()
    with pytest.raises(ConfigurationError, match="nobody may be written to"):
        read_permission_rules(project)
