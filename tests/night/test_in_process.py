"""The player of nights in one process, whose sources are pulled in threads."""

from __future__ import annotations

import subprocess
import sys

PLAYER = """
import sys
from safar.night.in_process import NightPlayer
NightPlayer(None, None, None, None)
print(hasattr(sys.modules.get("pandas"), "DataFrame"))
"""


def test_no_source_lands_while_another_one_s_check_is_importing_pandas() -> None:
    told = subprocess.run([sys.executable, "-c", PLAYER], capture_output=True, text=True, check=True)
    assert told.stdout.split() == ["True"]
