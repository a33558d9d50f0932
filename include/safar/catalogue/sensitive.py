"""Columns about health, belief, origin and the like (GDPR art. 9) choose nobody and stand in no message."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from safar.catalogue.campaign import Campaign
from safar.catalogue.column_descent import ROWS, Descent, trace_columns
from safar.catalogue.source import Source
from safar.catalogue.sql_words import name_macros
from safar.catalogue.template_fields import list_fields
from safar.errors import ConfigurationError


def check_sensitive(
    sources: Mapping[str, Source], campaigns: Mapping[str, Campaign], dbt_project: Path, templates: Path
) -> None:
    """Holds every audience and template against the sensitive columns of the sources.

    Raises:
        ConfigurationError: one uses a column that descends from such a column; the message lists each with its file,
            the field and the remedy.
    """
    marked = _mark_columns(sources)
    if not marked:
        return
    trail = _Trail(marked, dbt_project)
    problems = [problem for campaign in campaigns.values() for problem in _find_problems(campaign, trail, templates)]
    if problems:
        raise ConfigurationError("\n".join(dict.fromkeys(problems)))


def _mark_columns(sources: Mapping[str, Source]) -> dict[str, dict[str, str]]:
    """``source.table`` -> its sensitive columns."""
    return {
        f"{source.name}.{table.name}": marked
        for source in sources.values()
        for table in source.tables
        if (marked := {name: f"{source.name}.{table.name}.{name}" for name in table.name_sensitive()})
    }


class _Trail:
    """What each model hands on of the sensitive columns, worked out when it is asked for."""

    def __init__(self, marked: Mapping[str, Mapping[str, str]], dbt_project: Path) -> None:
        self._marked = marked
        self._files = {path.stem: path for path in sorted((dbt_project / "models").rglob("*.sql"))}
        self._macros = name_macros(
            [path.read_text("utf-8") for path in sorted((dbt_project / "macros").rglob("*.sql"))]
        )
        self._traced: dict[str, Descent] = {}

    def trace(self, model: str) -> Descent:
        if model not in self._traced:
            self._traced[model] = Descent()  # a model that reads itself adds nothing
            path = self._files.get(model)
            if path is not None:
                self._traced[model] = trace_columns(path.read_text("utf-8"), self._macros, self._marked, self._read)
        return self._traced[model]

    def _read(self, relation: str) -> Mapping[str, str]:
        return self._marked.get(relation) or self.trace(relation).columns


def _find_problems(campaign: Campaign, trail: _Trail, templates: Path) -> Iterator[str]:
    descent = trail.trace(campaign.enter)
    audience = campaign.file.parent / f"{campaign.enter}.sql"
    for name, origin in sorted((descent.uses | descent.columns).items()):
        used = f"uses {name!r}, which" if name != ROWS else "chooses its people by what"
        yield (
            f"{audience}: {used} descends from the sensitive column {origin}. Nobody is chosen or written to by it: "
            "take it out of the audience, and out of the model that hands it on."
        )
    for template in dict.fromkeys(step.send.template for step in campaign.steps):
        for field, path in list_fields(templates, template).items():
            if field in descent.columns:
                yield (
                    f"{path}: the field {field!r} descends from the sensitive column {descent.columns[field]}. "
                    f"Remove it from the template and from {audience.name}."
                )
