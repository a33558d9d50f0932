"""Where things are on this machine and in which environment we run. Never a secret."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from safar.errors import ConfigurationError

PROJECT_ROOT = Path(__file__).resolve().parents[2]


class Settings(BaseModel):
    """Process-wide settings, read once from the environment variables named below."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    project_root: Path = PROJECT_ROOT
    """The checkout: holds dbt_project/, expectations/ and include/ (SAFAR_PROJECT_ROOT)."""
    home: Path = PROJECT_ROOT / ".safar"
    """Everything this machine keeps: database, logs, rendered docs (SAFAR_HOME)."""
    environment: Literal["sandbox", "development", "staging", "production"] = "development"
    """Only "production" may reach a vendor's real send host (SAFAR_ENVIRONMENT)."""
    clock: Literal["wall", "sandbox"] = "wall"
    """Whose time counts as business time (SAFAR_CLOCK)."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Settings:
        """Reads the SAFAR_* variables.

        Raises:
            ConfigurationError: a variable has a value that is not allowed.
        """
        root = Path(environment.get("SAFAR_PROJECT_ROOT", PROJECT_ROOT)).resolve()
        values = {
            "project_root": root,
            "home": Path(environment.get("SAFAR_HOME", root / ".safar")).resolve(),
            "environment": environment.get("SAFAR_ENVIRONMENT", "development"),
            "clock": environment.get("SAFAR_CLOCK", "wall"),
        }
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            first = error.errors()[0]
            name = f"SAFAR_{str(first['loc'][0]).upper()}"
            raise ConfigurationError(
                f"{name}={first['input']!r} is not allowed: {first['msg']}. "
                f"Set {name} to one of the values named, or unset it."
            ) from error

    @property
    def dbt_project(self) -> Path:
        return self.project_root / "dbt_project"

    @property
    def manifest(self) -> Path:
        """dbt's manifest: the DAG files read it, `make manifest` writes it."""
        return self.dbt_project / "target" / "manifest.json"

    @property
    def expectations(self) -> Path:
        return self.project_root / "expectations"

    @property
    def templates(self) -> Path:
        return self.project_root / "include" / "templates"
