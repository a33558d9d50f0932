"""Compiles the frequency cap's macros of dbt into the condition that the last look contains (`make caps`)."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader

from safar.settings import Settings

MACROS = "frequency_caps.sql"
COMPILED = Path(__file__).parent / "sql" / "is_capped.sql"
HEADER = f"""-- Compiled by `make caps` from dbt_project/macros/decisions/{MACROS}: change it there.
-- Part of take_last_look.sql; `message` is about to leave, `person` tells who it is for.
"""


def compile_cap_rule(dbt_project: Path) -> str:
    """The text of sql/is_capped.sql as the macros stand now."""
    macros = Environment(  # noqa: S701
        loader=FileSystemLoader(dbt_project / "macros" / "decisions"), extensions=["jinja2.ext.do"]
    )
    condition = str(macros.get_template(MACROS).module.is_capped_at_claim())  # type: ignore[attr-defined]
    return HEADER + condition.strip() + "\n"


if __name__ == "__main__":
    COMPILED.write_text(compile_cap_rule(Settings().dbt_project), encoding="utf-8")
