"""YAML that remembers its lines, so that an error can say where to look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from safar.errors import ConfigurationError

Place = tuple[str | int, ...]
Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True)
class MarkedYaml:
    """The parsed content of one file and the line of each of its keys and items."""

    path: Path
    data: Any
    lines: dict[Place, int]

    def line_of(self, place: Sequence[str | int]) -> int:
        """The line of the deepest part of ``place`` that the file has."""
        known = tuple(place)
        while known and known not in self.lines:
            known = known[:-1]
        return self.lines.get(known, 1)

    def validate(self, model: type[Model], value: Any, place: Place) -> Model:
        """Reads ``value``, which stands at ``place``, as ``model``.

        Raises:
            ConfigurationError: it does not fit; the message names file, line, field and what is allowed.
        """
        try:
            return model.model_validate(value)
        except ValidationError as error:
            raise ConfigurationError("\n".join(self._explain(error, model, place))) from error

    def fail(self, place: Place, message: str) -> ConfigurationError:
        """An error that points at ``place``; raise what it returns."""
        return ConfigurationError(f"{self.path}:{self.line_of(place)}: {message}")

    def _explain(self, error: ValidationError, model: type[BaseModel], place: Place) -> list[str]:
        messages = []
        for problem in error.errors(include_url=False):
            where = tuple(part for part in problem["loc"] if part != "__root__")
            field = ".".join(str(part) for part in where) or "this entry"
            line = self.line_of((*place, *where))
            messages.append(f"{self.path}:{line}: {field}: {_remedy(problem, model, where)}")
        return messages


def read_marked_yaml(path: Path) -> MarkedYaml:
    """Reads one YAML file with the line of each key.

    Raises:
        ConfigurationError: the file is not YAML; the message names the line.
    """
    text = path.read_text(encoding="utf-8")
    try:
        # libyaml's loader: every DAG file reads the catalogue, and the one in Python takes ten times as long.
        loader = yaml.CSafeLoader(text)
        node = loader.get_single_node()
        data = loader.construct_document(node) if node is not None else None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        message = f"not valid YAML ({error.problem}). Mend the indentation or the quotes there."
        raise ConfigurationError(f"{path}:{line}: {message}") from error
    lines: dict[Place, int] = {}
    _mark(node, (), lines)
    return MarkedYaml(path, data, lines)


def _mark(node: yaml.Node | None, place: Place, lines: dict[Place, int]) -> None:
    if node is None:
        return
    lines.setdefault(place, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            inner = (*place, key.value)
            lines[inner] = key.start_mark.line + 1
            _mark(value, inner, lines)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            _mark(value, (*place, index), lines)


def _remedy(problem: Any, model: type[BaseModel], where: Place) -> str:
    if problem["type"] == "extra_forbidden":
        known = _known_fields(model, where[:-1])
        if not known:
            return "is not a setting here; remove it."
        close = get_close_matches(str(where[-1]), known, n=1)
        suggestion = f" Did you mean {close[0]!r}?" if close else ""
        return f"is not a setting here.{suggestion} Known: {', '.join(known)}."
    if problem["type"] == "missing":
        return "is missing; add it."
    if problem["type"] == "value_error":
        return f"{problem['ctx']['error']}."
    return f"{problem['msg']} (found {problem['input']!r})."


def _known_fields(model: type[BaseModel], where: Place) -> list[str]:
    current: Any = model
    for part in where:
        if isinstance(part, int):
            continue
        fields = getattr(current, "model_fields", {})
        field = next((f for name, f in fields.items() if part in (name, f.alias)), None)
        if field is None:
            return []
        current = _inner_model(field.annotation)
    return sorted(field.alias or name for name, field in getattr(current, "model_fields", {}).items())


def _inner_model(annotation: Any) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        found = _inner_model(argument)
        if found is not None:
            return found
    return None
