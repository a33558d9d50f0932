"""What sqlfluff puts in place of dbt and of our macros: each becomes a call of its own name.

The linter judges the SQL that we wrote, so it needs no database and no run to be pinned.
"""

import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import yaml

PROJECT = Path(__file__).resolve().parents[2] / "dbt_project"
SETTINGS = yaml.safe_load((PROJECT / "dbt_project.yml").read_text(encoding="utf-8"))


def name_call(name: str) -> Callable[..., str]:
    """A macro's stand-in: ``name(a, b)``, and for ``join_...`` a lateral join under the alias given last."""

    def call(*arguments: Any, **_: Any) -> str:
        written = ", ".join(str(argument) for argument in arguments if isinstance(argument, (str, int, float)))
        if name.startswith("join_"):
            return f"cross join lateral {name}() as {arguments[-1]}"
        return f"{name}({written})"

    return call


class Dbt:
    """Stands in for the namespace ``dbt``."""

    def __getattr__(self, name: str) -> Callable[..., str]:
        if name.startswith("type_"):
            return lambda: "text" if name == "type_string" else name.removeprefix("type_")
        return name_call(name)

    def concat(self, parts: list[str]) -> str:
        return " || ".join(parts)

    def split_part(self, text: str, *_: Any) -> str:
        return f"split_part({text})"


def var(name: str, default: Any = None) -> Any:
    return SETTINGS["vars"].get(name, default)


def ref(*names: str) -> str:
    return names[-1]


def source(source_name: str, table: str) -> str:
    return f"{source_name}.{table}"


def config(*_: Any, **__: Any) -> str:
    return ""


def is_incremental() -> bool:
    return True


def type_timestamp_tz() -> str:
    return "timestamptz"


def pinned() -> SimpleNamespace:
    return SimpleNamespace(run_id="", sequence=0, cadence="nightly", known_at={}, blocked_campaigns=[], as_of="")


def _stand_in_for_macros() -> None:
    for path in (PROJECT / "macros").rglob("*.sql"):
        for name in re.findall(r"{%-?\s*macro\s+(\w+)\(", path.read_text(encoding="utf-8")):
            globals().setdefault(name, name_call(name))


dbt = Dbt()
execute = False
this = "this_model"
target = SimpleNamespace(name="nightly", schema="nightly", type="postgres")
_stand_in_for_macros()
