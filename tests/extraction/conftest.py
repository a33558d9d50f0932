"""A vendor, a project that declares it, and a workspace that reads it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from safar.catalogue.source import Source, read_sources
from safar.extraction.session import Patience
from safar.workspace import Workspace

sys.path.insert(0, str(Path(__file__).parent))

from tests.extraction.running_company import run_company
from tiny_vendor import TOKEN, Vendor, open_vendor

SOURCES = Path(__file__).parent / "sources"


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    with open_vendor() as vendor:
        yield vendor


@pytest.fixture
def declare(tmp_path: Path) -> Callable[..., Source]:
    """Puts a source's YAML, changed where the test says so, into a project and reads it."""

    def declare(name: str, *changes: tuple[str, str]) -> Source:
        text = (SOURCES / f"{name}.yml").read_text()
        for old, new in changes:
            assert old in text, old
            text = text.replace(old, new)
        folder = tmp_path / "project" / "dbt_project" / "models" / "staging" / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"_{name}__sources.yml").write_text(text)
        return read_sources(tmp_path / "project" / "dbt_project")[name]

    return declare


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    (root / "expectations" / "raw").mkdir(parents=True)
    return root


@pytest.fixture
def open_at(
    open_workspace: Callable[..., Workspace], connections: dict[str, Any], vendor: Vendor, project: Path
) -> Callable[..., Workspace]:
    """Opens a workspace whose connections lead to the vendor."""
    connections["crm"] = {"host": vendor.base_url, "password": TOKEN}
    connections["shop"] = {"host": vendor.base_url, "login": "shop-id", "password": "shop-secret"}

    def open_at(at: datetime | None = None) -> Workspace:
        settings = {"project_root": project}
        return open_workspace(at, **settings) if at else open_workspace(**settings)

    return open_at


@pytest.fixture
def naps() -> list[float]:
    """The seconds that the code under test wanted to sleep; nobody really does."""
    return []


@pytest.fixture
def patience(naps: list[float]) -> Patience:
    return Patience(sleep=naps.append)


@pytest.fixture
def select(database: str) -> Callable[..., list[tuple[Any, ...]]]:
    """Runs a query in the warehouse."""

    def select(query: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(database, options="-c timezone=UTC") as connection:
            return connection.execute(query).fetchall()  # type: ignore[arg-type]

    return select


@pytest.fixture(scope="session")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The sandbox as a process of its own; yields its base URL."""
    with run_company(tmp_path_factory.mktemp("sandbox"), 150) as url:
        yield url
