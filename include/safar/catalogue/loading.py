"""The whole catalogue: sources, campaigns and what holds for all of them."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from safar.catalogue.campaign import Campaign
from safar.catalogue.campaign_files import find_campaign_files, open_campaign_file, resolve_campaign
from safar.catalogue.defaults import Defaults, read_defaults
from safar.catalogue.rules import Surroundings, check_rules
from safar.catalogue.sensitive import check_sensitive
from safar.catalogue.source import Source, read_sources
from safar.errors import ConfigurationError
from safar.settings import Settings


class Catalogue(BaseModel):
    """What is declared in this checkout, by name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sources: dict[str, Source]
    campaigns: dict[str, Campaign]
    defaults: Defaults

    def name_campaigns(self, cadence: str) -> list[str]:
        """The campaigns that builds of this cadence decide."""
        return [name for name, campaign in self.campaigns.items() if campaign.cadence == cadence]

    def name_sources(self, cadence: str) -> list[str]:
        """The sources that are extracted before each build of this cadence."""
        return [name for name, source in self.sources.items() if cadence in source.cadences]


def load_catalogue(settings: Settings) -> Catalogue:
    """Reads every declaration; opens files of the checkout and nothing else.

    Raises:
        ConfigurationError: something is wrong; the message lists each problem with file, line and remedy.
    """
    defaults = read_defaults(settings.dbt_project)
    sources = read_sources(settings.dbt_project)
    campaigns = read_campaigns(settings.dbt_project, settings.templates, defaults)
    check_sensitive(sources, campaigns, settings.dbt_project, settings.templates)
    return Catalogue(sources=sources, campaigns=campaigns, defaults=defaults)


def read_campaigns(dbt_project: Path, templates: Path, defaults: Defaults) -> dict[str, Campaign]:
    """Reads every folder under models/campaigns/; the problems of all files come in one error.

    Raises:
        ConfigurationError: something is wrong; the message lists each problem with file, line and remedy.
    """
    surroundings = Surroundings(dbt_project, templates, defaults)
    campaigns: dict[str, Campaign] = {}
    problems: list[str] = []
    for path in find_campaign_files(dbt_project):
        try:
            file = open_campaign_file(path)
            check_rules(file, surroundings)
            campaigns[path.stem] = resolve_campaign(file, defaults)
        except ConfigurationError as error:
            problems.append(str(error))
    if problems:
        raise ConfigurationError("\n".join(problems))
    return campaigns
