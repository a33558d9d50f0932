"""A checkout with one campaign, whose YAML a test may change."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from safar.catalogue import Catalogue, load_catalogue
from safar.settings import PROJECT_ROOT, Settings

HERE = Path(__file__).parent
VALID = (HERE / "cart_abandonment.yml").read_text()
ORDERS = """
models:
  - name: fct_orders
    columns: [{name: order_id}, {name: contact_id}, {name: ordered_at}]
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of a checkout that holds the valid example."""
    project = tmp_path / "dbt_project"
    folder = project / "models" / "campaigns" / "cart_abandonment"
    folder.mkdir(parents=True)
    (folder / "cart_abandonment.yml").write_text(VALID)
    (folder / "audience_cart_abandonment.sql").write_text("select 1")
    (project / "models" / "_orders__models.yml").write_text(ORDERS)
    shutil.copy(PROJECT_ROOT / "dbt_project" / "dbt_project.yml", project)
    shutil.copytree(PROJECT_ROOT / "dbt_project" / "seeds", project / "seeds")
    for template in ("cart_reminder", "cart_offer"):
        target = tmp_path / "include" / "templates" / template
        target.mkdir(parents=True)
        (target / "en.mjml").write_text("<mjml>Hello {{first_name}}, <a href='{{recovery_url}}'>back</a></mjml>")
    return Settings(project_root=tmp_path, home=tmp_path / "home")


@pytest.fixture
def load(settings: Settings) -> Callable[..., Catalogue]:
    """Loads the checkout with pieces of the example replaced: ``load(("holdout: 10 %", "holdout: 20 %"))``."""

    def load_with(*changes: tuple[str, str], vars_: tuple[tuple[str, str], ...] = ()) -> Catalogue:
        _replace(settings.dbt_project / "models/campaigns/cart_abandonment/cart_abandonment.yml", changes)
        _replace(settings.dbt_project / "dbt_project.yml", vars_)
        return load_catalogue(settings)

    return load_with


def _replace(path: Path, changes: tuple[tuple[str, str], ...]) -> None:
    text = path.read_text()
    for old, new in changes:
        assert old in text, f"{old!r} does not stand in {path.name}"
        text = text.replace(old, new)
    path.write_text(text)
