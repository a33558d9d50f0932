"""Which builds wait for a source stands in its YAML."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from safar.catalogue import load_catalogue
from safar.settings import PROJECT_ROOT, Settings

SOURCES = "models/staging/hubspot/_hubspot__sources.yml"


@pytest.mark.parametrize(("cadences", "is_hourly"), [("[nightly]", False), ("[nightly, intraday]", True)])
def test_a_build_waits_for_the_sources_of_its_cadence(settings: Settings, cadences: str, is_hourly: bool) -> None:
    declared: Path = settings.dbt_project / SOURCES
    declared.parent.mkdir(parents=True)
    shutil.copy(PROJECT_ROOT / "dbt_project" / SOURCES, declared)
    text = declared.read_text()
    line = "          connection: hubspot"
    assert line in text
    declared.write_text(text.replace(line, f"          cadences: {cadences}\n{line}", 1))
    catalogue = load_catalogue(settings)
    assert catalogue.name_sources("nightly") == ["hubspot"]
    assert catalogue.name_sources("intraday") == (["hubspot"] if is_hourly else [])
