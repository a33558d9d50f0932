"""Follows docs/add-a-source.md and docs/add-a-campaign.md as written, in a copy of the project."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from safar.settings import PROJECT_ROOT

BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project in which both documents have been followed and a night has been played."""
    root = tmp_path_factory.mktemp("newcomer")
    for name in ("dbt_project", "expectations", "include/templates"):
        shutil.copytree(PROJECT_ROOT / name, root / name, ignore=shutil.ignore_patterns("target", "logs"))
    commands: list[str] = []
    for name in ("add-a-campaign.md", "add-a-source.md"):
        for language, path, text in BLOCK.findall((PROJECT_ROOT / "docs" / name).read_text()):
            if path:
                file = root / path
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text)
            elif language == "bash":
                commands.append(text)
    # One night is enough for both.
    script = "\n".join(commands).replace("safar night\n", "", 1)
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "SAFAR_PROJECT_ROOT": str(root),
        "SAFAR_HOME": str(root / "home"),
        # Enough people for some to have placed a first order in the last days.
        "PEOPLE": "3000",
    }
    done = subprocess.run(
        ["bash", "-euc", script], cwd=root, env=environment, capture_output=True, text=True, timeout=900
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return root


@pytest.fixture(scope="module")
def night(followed: Path) -> dict[str, Any]:
    figures: dict[str, Any] = json.loads((followed / "home" / "night.json").read_text())
    return figures


def test_the_campaign_has_decided_and_written(night: dict[str, Any]) -> None:
    campaign = night["campaigns"]["first_order_thanks"]
    assert campaign["outcomes"]["send"] > 0
    assert campaign["messages"]["accepted"] > 0


def test_the_source_has_landed_and_its_bad_row_is_in_quarantine(night: dict[str, Any]) -> None:
    source = night["sources"]["club_cards"]
    assert (source["new"], source["quarantined"]) == (2, 1)


def test_the_rest_of_the_night_is_as_it_was(night: dict[str, Any]) -> None:
    assert {"cart_abandonment", "loyalty", "reactivation"} <= set(night["campaigns"])
    assert night["messages_accepted"] == night["mails_at_provider"]
    assert night["messages_accepted"] == night["deliveries_accepted"] + night["accepted_since_build"]
