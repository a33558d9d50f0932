"""What some tests need of the machine: a Chromium, and root's right to make a file system.

Where it is missing their files are not collected and the summary says so. In CI (variable CI) they always are, and fail.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

IS_CI = bool(os.environ.get("CI"))


def find_program(*names: str) -> Path:
    """The first of these programs.

    Raises:
        FileNotFoundError: none is installed.
    """
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        raise FileNotFoundError(
            f"None of {', '.join(names)} is installed. On Debian: apt-get install chromium chromium-driver"
        )
    return Path(found)


def has_browser() -> bool:
    try:
        find_program("chromium", "chromium-browser", "google-chrome")
        find_program("chromedriver")
    except FileNotFoundError:
        return False
    return True


def list_left_out() -> dict[str, str]:
    """Files and folders below tests/ that are not collected on this machine, each with its reason."""
    if IS_CI:
        return {}
    left_out = {}
    if not has_browser():
        for folder in ("intake/browser", "journey/browser"):
            left_out[folder] = "they drive a real browser, and chromium with chromedriver is not installed"
    if os.geteuid() != 0:
        left_out["intake/test_full_disk.py"] = "it makes a file system of 1 MB, which needs root"
    return left_out
