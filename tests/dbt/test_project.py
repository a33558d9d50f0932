"""What holds for every model of the project, read from its manifest; and its unit tests, run."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

AS_OF = datetime(2026, 1, 11, 23, tzinfo=UTC)
OURS = ["path:models/staging", "path:models/intermediate", "path:models/marts"]
LONGEST_MODEL = 150
LONGEST_NAME_OF_A_UNIT_TEST = 63


@pytest.fixture(scope="module")
def nodes(warehouse: Any) -> dict[str, Any]:
    manifest = warehouse.project.manifest("nightly")
    return {key: node for key, node in manifest.nodes.items() if node.package_name == "safar"}


@pytest.fixture(scope="module")
def models(nodes: dict[str, Any]) -> list[Any]:
    return [node for node in nodes.values() if node.resource_type == "model"]


def test_every_model_is_described_by_its_grain(models: list[Any]) -> None:
    vague = [model.name for model in models if not model.description.startswith(("One row per", "The "))]
    assert not vague, f"begin the description of these models with their grain, `One row per ...`: {vague}"


def test_every_column_of_a_mart_is_described_and_promised(models: list[Any]) -> None:
    marts = [model for model in models if model.fqn[1] == "marts"]
    assert len(marts) >= 10
    for mart in marts:
        assert mart.config.contract.enforced, f"{mart.name} has no enforced contract"
        silent = [column.name for column in mart.columns.values() if not column.description]
        assert not silent, f"{mart.name} does not describe {silent}"


def test_what_runs_every_hour_needs_nothing_that_runs_only_at_night(nodes: dict[str, Any], models: list[Any]) -> None:
    for model in models:
        if "intraday" in model.config.tags:
            for parent in model.depends_on.nodes:
                if parent in nodes and "decisions" not in nodes[parent].config.tags:
                    assert "intraday" in nodes[parent].config.tags, f"{model.name} needs {nodes[parent].name}"


def test_no_model_reads_the_clock_or_cuts_ties_by_chance(models: list[Any]) -> None:
    for model in models:
        text = model.raw_code.lower()
        for word in ("now()", "current_timestamp", "current_date", "ntile", "random()"):
            assert word not in text, f"{model.original_file_path} uses {word}"


def test_only_staging_reads_sources(models: list[Any]) -> None:
    for model in models:
        if model.fqn[1] not in ("staging", "decisions"):
            assert not [parent for parent in model.depends_on.nodes if parent.startswith("source.")], model.name


def test_models_are_short_enough_to_be_read(models: list[Any]) -> None:
    long = {model.name: model.raw_code.count("\n") for model in models if model.raw_code.count("\n") > LONGEST_MODEL}
    assert not long


def test_the_unit_tests_hold(warehouse: Any) -> None:
    """Each rule of the project has one, named as a sentence; they need the tables' columns, not their rows."""
    warehouse.run(["seed"], AS_OF)
    warehouse.run(["run", "--empty", "--select", *OURS], AS_OF)
    outcome = warehouse.run(["test", "--select", *(f"{path},test_type:unit" for path in OURS)], AS_OF)
    assert len(outcome) > 25
    assert {name: status for name, status in outcome.items() if status != "pass"} == {}
    assert max(map(len, outcome)) <= LONGEST_NAME_OF_A_UNIT_TEST
