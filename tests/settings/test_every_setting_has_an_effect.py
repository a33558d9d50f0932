"""No setting is stored and never read: each field names the test that fails when it has no effect."""

from __future__ import annotations

import ast
import importlib
import pkgutil
from functools import cache

import pytest
from pydantic import BaseModel
from tests.settings.effects import EFFECTS, NOT_SETTINGS

import safar
from safar.settings import PROJECT_ROOT

REGISTRY = "tests/settings/effects.py"
# They need a display of Airflow or run as a program when imported.
NOT_IMPORTED = ("safar.__main__", "safar.ledger.migrations")


def list_models() -> dict[str, type[BaseModel]]:
    """Every pydantic model that safar defines, by its full name."""
    for module in pkgutil.walk_packages(safar.__path__, "safar."):
        if not module.name.startswith(NOT_IMPORTED):
            importlib.import_module(module.name)
    found: dict[str, type[BaseModel]] = {}
    waiting: list[type[BaseModel]] = [BaseModel]
    while waiting:
        for model in waiting.pop().__subclasses__():
            waiting.append(model)
            if model.__module__.split(".")[0] == "safar":
                found[f"{model.__module__}.{model.__qualname__}"] = model
    return found


MODELS = list_models()
FIELDS = [(name, field) for name in sorted(EFFECTS) if name in MODELS for field in MODELS[name].model_fields]


@cache
def list_tests(file: str) -> frozenset[str]:
    """The names of a file's test functions, or nothing when there is no such file."""
    path = PROJECT_ROOT / file
    tree = ast.parse(path.read_text(encoding="utf-8")) if path.is_file() else ast.Module([], [])
    found = (node.name for node in tree.body if isinstance(node, ast.FunctionDef))
    return frozenset(name for name in found if name.startswith("test_"))


def test_every_model_of_safar_is_known_to_hold_settings_or_not() -> None:
    unknown = sorted(MODELS.keys() - EFFECTS.keys() - NOT_SETTINGS.keys())
    assert not unknown, (
        f"{', '.join(unknown)}: add the model to EFFECTS in {REGISTRY}, with a test per field, or to NOT_SETTINGS "
        "with the reason why nobody writes it."
    )


def test_the_registry_names_nothing_that_is_gone() -> None:
    gone = sorted((EFFECTS.keys() | NOT_SETTINGS.keys()) - MODELS.keys())
    fields = [
        f"{name}.{field}"
        for name, effects in EFFECTS.items()
        if name in MODELS
        for field in effects.keys() - MODELS[name].model_fields.keys()
    ]
    assert not gone + fields, f"{REGISTRY} names {', '.join(gone + fields)}, which is gone; remove the entry."


@pytest.mark.parametrize(("model", "field"), FIELDS, ids=lambda name: name.rsplit(".", 1)[-1])
def test_a_setting_has_a_test_of_its_effect(model: str, field: str) -> None:
    named = EFFECTS[model].get(field)
    assert named, (
        f"{model}.{field} has no test of its effect. Write one that fails when the setting is not read, and add "
        f'"{field}": "tests/<area>/test_<file>.py::test_<name>" to EFFECTS["{model}"] in {REGISTRY}.'
    )
    file, _, test = named.partition("::")
    assert test.partition("[")[0] in list_tests(file), (
        f"{REGISTRY} says that {model}.{field} is tested by {named}, but there is no such test. Mend the name."
    )
