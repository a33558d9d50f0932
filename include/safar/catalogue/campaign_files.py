"""Reads models/campaigns/<campaign>/<campaign>.yml: one folder, one audience, one exposure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from safar.catalogue.campaign import Campaign, DeclaredCampaign, Owner, resolve_steps
from safar.catalogue.defaults import Cadence, Defaults, FrequencyCap
from safar.catalogue.marked_yaml import MarkedYaml, Place, read_marked_yaml
from safar.errors import ConfigurationError

ENTRY_COLUMNS = ("contact_id", "occurrence_key", "occurred_at")
CADENCES: tuple[Cadence, ...] = ("nightly", "intraday")


@dataclass(frozen=True)
class CampaignFile:
    """One campaign's YAML as it stands, before any rule that looks beyond a single field."""

    document: MarkedYaml
    exposure: dict[str, Any]
    place: Place
    declared: DeclaredCampaign

    @property
    def meta(self) -> Place:
        return (*self.place, "config", "meta")

    @property
    def folder(self) -> Path:
        return self.document.path.parent

    @property
    def models(self) -> dict[str, tuple[str, ...]]:
        """The columns, in order, of each model declared in the file."""
        return {
            str(model.get("name")): tuple(str(column.get("name")) for column in model.get("columns") or [])
            for model in self.document.data.get("models") or []
        }

    @property
    def cadences(self) -> list[Cadence]:
        config = self.exposure.get("config") or {}
        tags = [*_listed(config.get("tags")), *_listed(self.exposure.get("tags"))]
        return [cadence for cadence in CADENCES if cadence in tags]


def find_campaign_files(dbt_project: Path) -> list[Path]:
    """The YAML file of every campaign folder, whether or not it exists."""
    folders = sorted(path for path in (dbt_project / "models" / "campaigns").glob("*/") if path.name[0] not in "._")
    return [folder / f"{folder.name}.yml" for folder in folders]


def open_campaign_file(path: Path) -> CampaignFile:
    """Reads one file as far as its fields go.

    Raises:
        ConfigurationError: a field is wrong; the message lists all of them with their lines.
    """
    if not path.is_file():
        raise ConfigurationError(
            f"{path.parent}: the campaign has no {path.name}. Add it with the audience's model and an exposure "
            f"named {path.stem}, or remove the folder (docs/add-a-campaign.md)."
        )
    document = read_marked_yaml(path)
    exposures = (document.data or {}).get("exposures") if isinstance(document.data, dict) else None
    found = [(index, entry) for index, entry in enumerate(exposures or []) if entry.get("name") == path.stem]
    if not found:
        raise document.fail(
            ("exposures",), f"exposures: none is named {path.stem!r}. Name the exposure like its folder."
        )
    index, exposure = found[0]
    place: Place = ("exposures", index)
    meta = (exposure.get("config") or {}).get("meta")
    if not isinstance(meta, dict):
        raise document.fail((*place, "config"), "config.meta is missing; the campaign's plan stands there.")
    declared = document.validate(DeclaredCampaign, meta, (*place, "config", "meta"))
    return CampaignFile(document, exposure, place, declared)


def resolve_campaign(file: CampaignFile, defaults: Defaults) -> Campaign:
    """Fills in every default; the file must have passed the rules."""
    declared = file.declared
    return Campaign(
        name=file.document.path.stem,
        label=str(file.exposure.get("label") or file.document.path.stem),
        description=str(file.exposure.get("description") or ""),
        owner=_read_owner(file.exposure.get("owner")),
        cadence=file.cadences[0],
        enter=declared.enter,
        again=declared.again,
        goal=declared.goal,
        exit=declared.exit or ("goal" if declared.goal else None),
        class_=declared.class_,
        topic=declared.topic,
        priority=declared.priority,
        holdout=declared.holdout or Decimal(0),
        max_lag=declared.max_lag,
        max_source_age=declared.max_source_age or defaults.max_source_age,
        approval=declared.approval or defaults.approval,
        first_live_messages=(
            defaults.first_live_messages if declared.first_live_messages is None else declared.first_live_messages
        ),
        frequency_caps=_resolve_caps(declared, defaults),
        steps=resolve_steps(declared.steps),
        retired=declared.retired,
        fields=file.models[declared.enter][len(ENTRY_COLUMNS) :],
        file=file.document.path,
    )


def shortest_lag(file: CampaignFile, cadence: Cadence, defaults: Defaults) -> timedelta:
    """The least ``max_lag`` with which no message can grow too old by waiting for its turn."""
    quiet = defaults.quiet_hours.longest if file.declared.class_ == "marketing" else timedelta(0)
    return defaults.cadence_interval[cadence] + quiet


def _read_owner(value: Any) -> Owner:
    owner = value if isinstance(value, dict) else {}
    return Owner(**{key: str(owner[key]) for key in ("name", "email") if owner.get(key)})


def _resolve_caps(declared: DeclaredCampaign, defaults: Defaults) -> tuple[FrequencyCap, ...]:
    """A campaign's own caps stand in the place of all the defaults; an empty list means none."""
    if declared.frequency_caps is None:
        return tuple(cap for cap in defaults.frequency_caps if cap.class_ == declared.class_)
    return tuple(
        FrequencyCap.model_validate({**dict(cap), "class": declared.class_}) for cap in declared.frequency_caps
    )


def _listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value or [])
