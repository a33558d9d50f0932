"""dbt's manifest: which node stands on which, read without dbt."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import orjson

from safar.errors import ConfigurationError
from safar.settings import Settings
from safar.warehouse.dbt import run_dbt
from safar.warehouse.rules_version import fingerprint_project

FINGERPRINT = "safar_fingerprint"
BUILT = ("model", "seed", "snapshot")
DECISIONS = "decisions"


@dataclass(frozen=True)
class Manifest:
    """The parts of manifest.json that the verbs ask for. Nodes are named by their unique_id."""

    content: dict[str, Any]

    @property
    def nodes(self) -> dict[str, dict[str, Any]]:
        nodes: dict[str, dict[str, Any]] = self.content["nodes"]
        return nodes

    @cached_property
    def tables(self) -> frozenset[str]:
        """Every model, seed and snapshot but the decisions, which `decide` runs."""
        return frozenset(
            node
            for node, entry in self.nodes.items()
            if entry["resource_type"] in BUILT and entry["fqn"][1] != DECISIONS
        )

    def find_model(self, name: str) -> str | None:
        """The unique_id of the model of that name."""
        for node, entry in self.nodes.items():
            if entry["resource_type"] == "model" and entry["name"] == name:
                return node
        return None

    def find_exposure(self, name: str) -> str | None:
        """The unique_id of the exposure of that name."""
        return next((key for key, entry in self.content["exposures"].items() if entry["name"] == name), None)

    def locate(self, node: str, target: str) -> tuple[str, str]:
        """Schema and table of a node as the target builds it (the macro generate_schema_name)."""
        entry = self.nodes[node]
        custom = entry["config"].get("schema")
        schema = DECISIONS if custom == DECISIONS else f"{target}_{custom}" if custom else target
        return schema, entry["alias"]

    def list_ancestors(self, node: str) -> set[str]:
        """Everything that the node stands on, sources included."""
        found: set[str] = set()
        waiting = [node]
        while waiting:
            for parent in self.content["parent_map"].get(waiting.pop(), []):
                if parent not in found:
                    found.add(parent)
                    waiting.append(parent)
        return found

    def list_built(self, target: str) -> set[str]:
        """The tables that a build of this target makes: those tagged with it."""
        return {node for node in self.tables if target in self.nodes[node]["tags"]}

    def list_tests(self, tables: Collection[str], built: Collection[str]) -> set[str]:
        """The tests that judge one of ``tables`` and look at nothing that is not ``built``."""
        return {
            node
            for node, entry in self.nodes.items()
            if entry["resource_type"] == "test"
            and not _judged(entry).isdisjoint(tables)
            and _tables_of(entry) <= set(built)
        }

    def describe(self, node: str) -> str:
        """The node in words: ``model fct_orders``."""
        entry = self.nodes.get(node)
        return f"{entry['resource_type']} {entry['name']}" if entry else node

    def list_sources(self, nodes: Iterable[str]) -> set[str]:
        """The names of the sources among ``nodes``."""
        return {self.content["sources"][node]["source_name"] for node in nodes if node in self.content["sources"]}


def _tables_of(test: dict[str, Any]) -> set[str]:
    return {node for node in test["depends_on"]["nodes"] if node.split(".", 1)[0] in BUILT}


def _judged(test: dict[str, Any]) -> set[str]:
    """A generic test judges the node that it is attached to, a singular one all that it reads."""
    attached = test.get("attached_node")
    return {attached} if attached else _tables_of(test)


def write_manifest(settings: Settings, environment: Mapping[str, str] | None = None) -> Path:
    """Parses the project when the manifest is stale or missing; returns the manifest's path.

    Args:
        environment: the warehouse's address (`describe_warehouse`). dbt parses everything anew when the
            warehouse differs from the one that it parsed for, so whoever is going to build gives it here.

    Raises:
        DbtFailed: the project does not parse.
    """
    path = settings.manifest
    fingerprint = fingerprint_project(settings.dbt_project)
    if environment is None and _read_fingerprint(path) == fingerprint:
        return path
    run_dbt(
        settings,
        # Airflow's tasks name the profile; without it here they would have to parse everything once more.
        ["parse", "--profile", "safar"],
        target="nightly",
        target_path=path.parent,
        environment=environment,
        write_artifacts=True,
    )
    content = orjson.loads(path.read_bytes())
    content["metadata"][FINGERPRINT] = fingerprint
    fresh = path.with_suffix(".json.new")
    fresh.write_bytes(orjson.dumps(content))
    fresh.replace(path)
    return path


def read_manifest(settings: Settings) -> Manifest:
    """Reads the manifest.

    Raises:
        ConfigurationError: it is missing, or older than the project's files.
    """
    path = settings.manifest
    if not path.is_file():
        raise ConfigurationError(f"{path} is missing. Write it with `make manifest`.")
    content = orjson.loads(path.read_bytes())
    if content["metadata"].get(FINGERPRINT) != fingerprint_project(settings.dbt_project):
        raise ConfigurationError(f"{path} is stale: files of dbt_project/ have changed. Write it with `make manifest`.")
    return Manifest(content)


def _read_fingerprint(path: Path) -> str | None:
    if not path.is_file():
        return None
    fingerprint: str | None = orjson.loads(path.read_bytes())["metadata"].get(FINGERPRINT)
    return fingerprint
