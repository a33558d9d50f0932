"""What a yes is worth: the seeds permission_countries and permission_sources, which SQL joins, read to be checked."""

from __future__ import annotations

import csv
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from safar.errors import ConfigurationError

COUNTRIES = "permission_countries.csv"
SOURCES = "permission_sources.csv"

Answer = Literal["yes", "confirm", "no"]
YesOrNo = Literal["yes", "no"]
Evidence = Literal["confirmed_opt_in", "single_opt_in", "imported_flag", "purchase", "nothing"]


class CountryRule(BaseModel):
    """What each kind of evidence is worth in one country; a country without a row says no, or confirm to a form."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    country_code: Annotated[str, Field(pattern="^[A-Z]{2}$")]
    country: Annotated[str, Field(min_length=1)]
    single_opt_in: Answer
    imported_flag: Answer
    purchase: YesOrNo
    nothing: YesOrNo


class SourceRule(BaseModel):
    """What a source must prove with each kind of evidence; a kind without a row does not count."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: Annotated[str, Field(pattern="^[a-z][a-z0-9_]*$")]
    evidence: Evidence
    needs_text_version: bool
    needs_form: bool
    needs_confirmation: bool


class PermissionRules(BaseModel):
    """Both seeds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    countries: tuple[CountryRule, ...]
    sources: tuple[SourceRule, ...]


Row = TypeVar("Row", bound=BaseModel)


def read_permission_rules(dbt_project: Path) -> PermissionRules:
    """Reads and checks both seeds.

    Raises:
        ConfigurationError: a file is missing, or a row is wrong or there twice; each problem names file, line, field
            and what is allowed.
    """
    seeds = dbt_project / "seeds"
    problems: list[str] = []
    countries = _read_rows(seeds / COUNTRIES, CountryRule, lambda row: row.country_code, problems)
    sources = _read_rows(seeds / SOURCES, SourceRule, lambda row: (row.source, row.evidence), problems)
    problems += [
        f"{seeds / SOURCES}: row {row.source},{row.evidence}: needs_confirmation is false; a confirmed opt-in that "
        "proves no confirmation is none. Write true, or call the evidence single_opt_in."
        for row in sources
        if row.evidence == "confirmed_opt_in" and not row.needs_confirmation
    ]
    if problems:
        raise ConfigurationError("\n".join(problems))
    return PermissionRules(countries=tuple(countries), sources=tuple(sources))


def _read_rows(path: Path, model: type[Row], key: Callable[[Row], Hashable], problems: list[str]) -> list[Row]:
    if not path.is_file():
        problems.append(f"{path}: is missing; without it nobody may be written to. Restore it from the repository.")
        return []
    rows: list[Row] = []
    seen: dict[Hashable, int] = {}
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file, restkey="too_many_columns")
        for record in reader:
            line = reader.line_num
            try:
                row = model.model_validate({name: value for name, value in record.items() if value is not None})
            except ValidationError as error:
                problems += [f"{path}:{line}: {_explain(problem)}" for problem in error.errors(include_url=False)]
                continue
            first = seen.setdefault(key(row), line)
            if first != line:
                problems.append(f"{path}:{line}: says again what line {first} says; keep one of them.")
            rows.append(row)
    return rows


def _explain(problem: object) -> str:
    assert isinstance(problem, dict)
    field = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "missing":
        return f"{field}: is missing; add the column's value."
    if problem["type"] == "extra_forbidden":
        return f"{field}: is no column of this file; remove it."
    return f"{field}: {problem['msg']} (found {problem['input']!r})."
