"""The rules of a campaign that look beyond one field. Each yields where it is broken and what to do."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from safar.catalogue.campaign_files import ENTRY_COLUMNS, CampaignFile, shortest_lag
from safar.catalogue.declared_models import find_columns
from safar.catalogue.defaults import Defaults
from safar.catalogue.duration import describe_duration
from safar.catalogue.marked_yaml import Place
from safar.catalogue.template_fields import find_raw_output, list_fields, list_locales
from safar.errors import ConfigurationError

REFERENCE = re.compile(r"""ref\(\s*(?:['"]\w+['"]\s*,\s*)?['"](\w+)['"]""")

Problem = tuple[Place, str]


@dataclass(frozen=True)
class Surroundings:
    """What a campaign refers to outside its own file."""

    dbt_project: Path
    templates: Path
    defaults: Defaults


Rule = Callable[[CampaignFile, Surroundings], Iterator[Problem]]


def check_rules(file: CampaignFile, surroundings: Surroundings) -> None:
    """Holds a campaign's file against every rule.

    Raises:
        ConfigurationError: rules are broken; the message lists all of them in the order of the lines.
    """
    problems = [problem for rule in RULES for problem in rule(file, surroundings)]
    if problems:
        lines = sorted({(file.document.line_of(place), message) for place, message in problems})
        raise ConfigurationError("\n".join(f"{file.document.path}:{line}: {message}" for line, message in lines))


def _one_cadence(file: CampaignFile, surroundings: Surroundings) -> Iterator[Problem]:
    if len(file.cadences) != 1:
        yield (
            (*file.place, "config", "tags"),
            f"tags: has {len(file.cadences)} cadences; write exactly one of nightly, intraday, "
            "like `tags: [campaign, nightly]`.",
        )


def _known_audience(file: CampaignFile, surroundings: Surroundings) -> Iterator[Problem]:
    audience, place = file.declared.enter, (*file.meta, "enter")
    if audience not in file.models:
        yield (
            place,
            f"enter: the model {audience!r} is not declared under models: in this file."
            f"{_suggest(audience, file.models)} Declare it with its columns.",
        )
    elif file.models[audience][:3] != ENTRY_COLUMNS:
        yield (
            place,
            f"enter: the first columns of {audience!r} must be {', '.join(ENTRY_COLUMNS)}; "
            f"declared are {', '.join(file.models[audience][:3]) or 'none'}.",
        )
    if not (file.folder / f"{audience}.sql").is_file():
        yield (
            place,
            f"enter: {file.folder.name}/{audience}.sql does not exist; the audience's SQL stands beside this file.",
        )


def _known_goal(file: CampaignFile, surroundings: Surroundings) -> Iterator[Problem]:
    goal, place = file.declared.goal, (*file.meta, "goal")
    if goal is None:
        if file.declared.exit in ("goal", "either"):
            yield (
                (*file.meta, "exit"),
                f"exit: {file.declared.exit} needs a goal; add `goal: {{model: fct_orders, at: ordered_at}}`.",
            )
        return
    columns = find_columns(surroundings.dbt_project, goal.model)
    if columns is None:
        yield (*place, "model"), f"goal.model: no model {goal.model!r} is declared under models/; name one that is."
        return
    for column in ("contact_id", goal.at):
        if column not in columns:
            yield (
                (*place, "at"),
                f"goal.at: the model {goal.model!r} declares no column {column!r}.{_suggest(column, columns)} "
                f"It declares: {', '.join(columns)}.",
            )


def _whole_lineage(file: CampaignFile, surroundings: Surroundings) -> Iterator[Problem]:
    """The gate follows depends_on: what is missing there could be broken unseen."""
    named = {name for text in file.exposure.get("depends_on") or [] for name in REFERENCE.findall(str(text))}
    needed = [file.declared.enter, *([file.declared.goal.model] if file.declared.goal else [])]
    for model in dict.fromkeys(needed):
        if model not in named:
            yield (
                (*file.place, "depends_on"),
                f"depends_on: add ref('{model}'); the gate follows it to every table behind it.",
            )


def _fitting_class(file: CampaignFile, surroundings: Surroundings) -> Iterator[Problem]:
    declared = file.declared
    if declared.class_ == "transactional" and declared.holdout:
        yield (*file.meta, "holdout"), "holdout: nobody is held out of a transactional campaign; remove the line."
    if declared.class_ == "transactional" and declared.frequency_caps is not None:
        yield (
            (*file.meta, "frequency_caps"),
            "frequency_caps: a transactional campaign is never held back by a cap; remove the lines.",
        )
    if declared.class_ == "marketing" and declared.holdout is None:
        yield file.meta, "holdout: is missing; write like `holdout: 10 %` (`0 %` measures nothing)."


def _enough_lag(file: CampaignFile, surroundings: Surroundings) -> Iterator[Problem]:
    if len(file.cadences) != 1:
        return
    cadence = file.cadences[0]
    least = shortest_lag(file, cadence, surroundings.defaults)
    if file.declared.max_lag < least:
        yield (
            (*file.meta, "max_lag"),
            f"max_lag: {describe_duration(file.declared.max_lag)} is too short for a campaign decided {cadence}: a "
            "step may wait for the next build and then for the end of the quiet hours. "
            f"Allow at least {describe_duration(least)}.",
        )


def _sound_steps(file: CampaignFile, surroundings: Surroundings) -> Iterator[Problem]:
    steps, place = file.declared.steps, (*file.meta, "steps")
    names = [step.name for step in steps if step.name is not None]
    if steps[-1].wait is not None:
        yield (*place, len(steps) - 1), "steps: ends with a wait; add the action that it waits for or remove it."
    for name, count in Counter(names).items():
        if count > 1:
            yield place, f"steps: the name {name!r} is used {count} times; give each step a name of its own."
    for name in sorted({*names} & {*file.declared.retired}):
        yield (
            (*file.meta, "retired"),
            f"retired: {name!r} is a step too; a retired name is never used again, choose another one for the step.",
        )
    first = next((index for index, step in enumerate(steps) if step.name is not None), None)
    if first is not None and steps[first].when is not None:
        yield (*place, first, "when"), "when: the first action has none before it to look at; remove the line."


def _known_templates(file: CampaignFile, surroundings: Surroundings) -> Iterator[Problem]:
    for index, step in enumerate(file.declared.steps):
        if step.send is not None:
            for message in _template_problems(file, surroundings, step.send.template):
                yield (*file.meta, "steps", index, "send"), f"template: {message}"


def _template_problems(file: CampaignFile, surroundings: Surroundings, template: str) -> Iterator[str]:
    templates, locale = surroundings.templates, surroundings.defaults.default_locale
    missing = f"include/templates/{template}/{locale}.mjml"
    if not (templates / template).is_dir():
        known = [path.name for path in templates.glob("*/")]
        yield f"there is no folder include/templates/{template}.{_suggest(template, known)} Write it as {missing}."
        return
    if locale not in list_locales(templates, template):
        yield f"{template!r} is not written in {locale!r}, which whoever has no better locale gets. Add {missing}."
    audience = file.declared.enter
    if audience not in file.models:
        return
    columns = file.models[audience][len(ENTRY_COLUMNS) :]
    for path in sorted((templates / template).glob("*.mjml")):
        yield from find_raw_output(path)
    for field, path in list_fields(templates, template).items():
        if field not in columns:
            yield (
                f"{template}/{path.name} needs the field {field!r}, which {audience!r} does not declare."
                f"{_suggest(field, columns)} Add the column to the audience or remove the field."
            )


def _suggest(name: str, known: Iterable[str]) -> str:
    close = get_close_matches(name, list(known), n=1)
    return f" Did you mean {close[0]!r}?" if close else ""


RULES: tuple[Rule, ...] = (
    _one_cadence,
    _known_audience,
    _known_goal,
    _whole_lineage,
    _fitting_class,
    _enough_lag,
    _sound_steps,
    _known_templates,
)
