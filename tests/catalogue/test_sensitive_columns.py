"""A sensitive column chooses nobody and stands in no message: in the example, and in the project as it is."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from safar.catalogue import Catalogue, load_catalogue
from safar.errors import ConfigurationError
from safar.settings import PROJECT_ROOT, Settings

CLINIC = """
sources:
  - name: clinic
    schema: raw_clinic
    config: {meta: {extract: {connection: clinic}}}
    tables:
      - name: visits
        config: {meta: {extract: {kind: event, key: id, files: {pattern: "*.csv"}}}}
        columns:
          - {name: id, data_type: text}
          - {name: diagnosis, data_type: text, config: {meta: {personal: true, sensitive: true}}}
"""
STAGING = "select id, {{ parse_text('diagnosis') }} as %s from {{ as_known('clinic', 'visits', ['id']) }} as visits"
AUDIENCE = "select id as contact_id, %s as first_name from {{ ref('stg_clinic__visits') }} %s"
LoadExample = Callable[..., Catalogue]


@pytest.fixture
def clinic(settings: Settings) -> Path:
    folder = settings.dbt_project / "models" / "staging" / "clinic"
    folder.mkdir(parents=True)
    (folder / "_clinic__sources.yml").write_text(CLINIC)
    (folder / "stg_clinic__visits.sql").write_text(STAGING % "reason")
    return settings.dbt_project


def write_audience(project: Path, text: str) -> Path:
    path = project / "models" / "campaigns" / "cart_abandonment" / "audience_cart_abandonment.sql"
    path.write_text(text)
    return path


def test_a_field_of_a_template_may_not_descend_from_it(clinic: Path, settings: Settings) -> None:
    audience = write_audience(clinic, AUDIENCE % ("upper(reason)", ""))
    with pytest.raises(ConfigurationError) as caught:
        load_catalogue(settings)
    told = str(caught.value).splitlines()
    template = settings.templates / "cart_reminder" / "en.mjml"
    assert any(
        line.startswith(
            f"{template}: the field 'first_name' descends from the sensitive column clinic.visits.diagnosis"
        )
        and line.endswith(f"Remove it from the template and from {audience.name}.")
        for line in told
    ), told
    assert any(line.startswith(f"{audience}: uses 'reason', which descends from") for line in told), told


def test_nobody_is_chosen_by_it(clinic: Path, settings: Settings) -> None:
    audience = write_audience(clinic, AUDIENCE % ("id", "where reason = 'migraine'"))
    with pytest.raises(ConfigurationError, match=f"{audience}: uses 'reason'"):
        load_catalogue(settings)


def test_nor_by_a_table_that_was_chosen_by_it(clinic: Path, settings: Settings) -> None:
    (clinic / "models" / "ill.sql").write_text("select id from {{ ref('stg_clinic__visits') }} where reason = 'x'")
    audience = write_audience(clinic, "select id as contact_id from {{ ref('ill') }}")
    with pytest.raises(ConfigurationError, match=f"{audience}: chooses its people by what descends from"):
        load_catalogue(settings)


def test_the_table_s_other_columns_may_be_used(clinic: Path, settings: Settings) -> None:
    write_audience(clinic, AUDIENCE % ("id", "where id is not null"))
    assert "cart_abandonment" in load_catalogue(settings).campaigns


def test_a_sensitive_column_is_about_a_person(clinic: Path, settings: Settings) -> None:
    path = clinic / "models" / "staging" / "clinic" / "_clinic__sources.yml"
    path.write_text(CLINIC.replace("personal: true, ", ""))
    with pytest.raises(ConfigurationError, match=r"_clinic__sources\.yml:11: .* Add personal: true beside it"):
        load_catalogue(settings)


@pytest.fixture
def checkout(tmp_path: Path) -> Settings:
    """The project as it is, to be changed."""
    for part in ("models", "macros", "seeds"):
        shutil.copytree(PROJECT_ROOT / "dbt_project" / part, tmp_path / "real" / "dbt_project" / part)
    shutil.copy(PROJECT_ROOT / "dbt_project" / "dbt_project.yml", tmp_path / "real" / "dbt_project")
    shutil.copytree(PROJECT_ROOT / "include" / "templates", tmp_path / "real" / "include" / "templates")
    return Settings(project_root=tmp_path / "real", home=tmp_path / "home")


def class_as_sensitive(settings: Settings, column: str) -> None:
    path = settings.dbt_project / "models" / "staging" / "hubspot" / "_hubspot__sources.yml"
    lines = path.read_text().splitlines()
    found = [at for at, line in enumerate(lines) if f"name: {column}," in line and "personal: true" in line]
    assert found, column
    lines[found[0]] = lines[found[0]].replace("personal: true", "personal: true, sensitive: true")
    path.write_text("\n".join(lines))


def test_through_the_whole_project_a_column_is_found_in_each_campaign_that_uses_it(checkout: Settings) -> None:
    class_as_sensitive(checkout, "properties__firstname")
    with pytest.raises(ConfigurationError) as caught:
        load_catalogue(checkout)
    told = str(caught.value)
    for campaign in ("cart_abandonment", "loyalty", "reactivation"):
        assert f"audience_{campaign}.sql: uses 'first_name'" in told
    assert "chooses its people" not in told
    assert "the field 'first_name' descends from the sensitive column hubspot.contacts.properties__firstname" in told
    assert {line.split("'")[1] for line in told.splitlines()} == {"first_name"}


@pytest.mark.parametrize("column", ["properties__gender", "properties__province", "properties__birthday"])
def test_through_the_whole_project_a_column_that_no_campaign_uses_stops_none(checkout: Settings, column: str) -> None:
    class_as_sensitive(checkout, column)
    assert len(load_catalogue(checkout).campaigns) == 3
