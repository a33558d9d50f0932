"""Checks a GraphQL selection against the schema, counts its cost, and carries it out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any

from sandbox.shopify.parser import Document, Field, Operation, Spread, Variable

Resolver = Callable[[Any, dict[str, Any]], Any]


class QueryFault(Exception):
    """A query that the shop refuses, with the error's code."""

    def __init__(self, message: str, code: str, path: tuple[str, ...] = (), **extensions: Any) -> None:
        super().__init__(message)
        self.answer: dict[str, Any] = {"message": message, "extensions": {"code": code, **extensions}}
        if path:
            self.answer["path"] = list(path)


@dataclass(frozen=True)
class Spec:
    """One field of a type: how to find its value, and of which type that is."""

    resolve: Resolver
    type_name: str | None = None
    """None for scalars."""
    is_connection: bool = False
    is_list: bool = False
    cost: int = 0
    """Points for the object itself; a connection counts by its `first`."""
    arguments: frozenset[str] = frozenset()
    choose_type: Callable[[dict[str, Any]], str] | None = None
    """For an interface: of which type the object is that the arguments ask for."""


Schema = Mapping[str, Mapping[str, Spec]]


@dataclass
class Step:
    """One field, checked and ready."""

    key: str
    spec: Spec
    arguments: dict[str, Any]
    steps: list[Step] | None
    type_name: str


@dataclass(frozen=True)
class _Frame:
    schema: Schema
    document: Document
    variables: dict[str, Any]
    has_pages: bool


def prepare(
    schema: Schema, document: Document, operation: Operation, variables: dict[str, Any], has_pages: bool = True
) -> list[Step]:
    """Checks an operation and fills its variables in; connections need no size where there are no pages.

    Raises:
        QueryFault: an unknown field or argument, a missing variable, or a selection where none may be.
    """
    missing = sorted(name for name in operation.required if variables.get(name) is None)
    if missing:
        message = f"Variable ${missing[0]} of type non-null was provided invalid value"
        raise QueryFault(message, "INVALID_VARIABLE")
    frame = _Frame(schema, document, {**operation.defaults, **variables}, has_pages)
    root = "QueryRoot" if operation.kind == "query" else "Mutation"
    return _prepare_all(frame, operation.selections, root, (operation.kind,))


def _prepare_all(frame: _Frame, selections: list[Field | Spread], type_name: str, path: tuple[str, ...]) -> list[Step]:
    return [_prepare_one(frame, one, type_name, path) for one in _flatten(frame, selections, type_name)]


def _flatten(frame: _Frame, selections: list[Field | Spread], type_name: str) -> Iterator[Field]:
    for one in selections:
        if not _is_included(frame, one.directives):
            continue
        if isinstance(one, Field):
            yield one
            continue
        fragment = one if one.fragment is None else frame.document.fragments.get(one.fragment)
        if fragment is None:
            raise QueryFault(f"Fragment {one.fragment} was used, but not defined", "useAndDefineFragment")
        if fragment.type_name in (None, type_name):
            yield from _flatten(frame, fragment.selections, type_name)


def _is_included(frame: _Frame, directives: dict[str, dict[str, Any]]) -> bool:
    skip = _fill(frame, directives.get("skip", {}).get("if", False))
    include = _fill(frame, directives.get("include", {}).get("if", True))
    return bool(include) and not skip


def _prepare_one(frame: _Frame, one: Field, type_name: str, path: tuple[str, ...]) -> Step:
    path = (*path, one.alias)
    if one.name == "__typename":
        return Step(one.alias, Spec(lambda node, arguments: type_name), {}, None, type_name)
    spec = frame.schema[type_name].get(one.name)
    if spec is None:
        message = f"Field '{one.name}' doesn't exist on type '{type_name}'"
        raise QueryFault(message, "undefinedField", path, typeName=type_name, fieldName=one.name)
    for name in one.arguments:
        if name not in spec.arguments:
            message = f"Field '{one.name}' doesn't accept argument '{name}'"
            raise QueryFault(message, "argumentNotAccepted", path, name=one.name, argumentName=name)
    if (spec.type_name is None) != (one.selections is None):
        problem = "must have selections" if one.selections is None else "can't have selections"
        raise QueryFault(f"Field {problem} ('{one.name}')", "selectionMismatch", path)
    arguments = _fill(frame, one.arguments)
    if spec.is_connection and frame.has_pages:
        _require_size(arguments, path)
    steps = None
    if spec.type_name is not None and one.selections is not None:
        inner_type = spec.choose_type(arguments) if spec.choose_type else spec.type_name
        steps = _prepare_all(frame, one.selections, inner_type, path)
    return Step(one.alias, spec, arguments, steps, type_name)


def _require_size(arguments: dict[str, Any], path: tuple[str, ...]) -> None:
    first = arguments.get("first")
    if first is None:
        raise QueryFault("you must provide one of first or last", "BAD_REQUEST", path)
    if not isinstance(first, int) or not 1 <= first <= 250:
        raise QueryFault("first must be a number from 1 to 250", "BAD_REQUEST", path)


def _fill(frame: _Frame, value: Any) -> Any:
    if isinstance(value, Variable):
        if value.name not in frame.variables:
            raise QueryFault(f"Variable ${value.name} is used but not declared", "variableNotDefined")
        return frame.variables[value.name]
    if isinstance(value, dict):
        return {name: _fill(frame, one) for name, one in value.items()}
    return [_fill(frame, one) for one in value] if isinstance(value, list) else value


def count_cost(steps: list[Step]) -> int:
    """Points that a query asks for: a connection counts by its `first`."""
    return sum(_count_requested(step) for step in steps)


def _count_requested(step: Step) -> int:
    if not step.spec.is_connection:
        return step.spec.cost + count_cost(step.steps or [])
    per_row = 1 + sum(count_cost(inner.steps or []) for inner in _list_row_steps(step))
    return _price_rows(step.arguments["first"] * per_row)


def count_actual_cost(steps: list[Step], answer: dict[str, Any]) -> int:
    """Points that the answer was worth: connections count by the rows that came, at every level."""
    return sum(_count_actual(step, answer.get(step.key)) for step in steps)


def _count_actual(step: Step, value: Any) -> int:
    if value is None:
        return step.spec.cost
    if step.spec.is_connection:
        rows = [(inner, row) for inner in _list_row_steps(step) for row in value[inner.key]]
        return _price_rows(sum(1 + count_actual_cost(inner.steps or [], row) for inner, row in rows))
    parts = value if isinstance(value, list) else [value]
    return step.spec.cost + sum(count_actual_cost(step.steps or [], part) for part in parts if step.steps)


def _list_row_steps(step: Step) -> list[Step]:
    return [inner for inner in step.steps or [] if inner.spec.type_name != "PageInfo"]


def _price_rows(points: int) -> int:
    return 2 + ceil(points / 4)


def execute(steps: list[Step], node: Any) -> dict[str, Any]:
    """Resolves the selected fields of one object."""
    answer: dict[str, Any] = {}
    for step in steps:
        value = step.spec.resolve(node, step.arguments)
        if step.steps is None or value is None:
            answer[step.key] = value
        elif isinstance(value, list):
            answer[step.key] = [execute(step.steps, one) for one in value]
        else:
            answer[step.key] = execute(step.steps, value)
    return answer
