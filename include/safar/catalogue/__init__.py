"""What is declared: sources and campaigns, read from dbt YAML into frozen models."""

from safar.catalogue.campaign import Again, Campaign, Goal, Send, Step
from safar.catalogue.campaign_plan import campaign_plan, plan_decisions
from safar.catalogue.defaults import Approval, Cadence, Defaults, FrequencyCap, QuietHours
from safar.catalogue.loading import Catalogue, load_catalogue
from safar.catalogue.source import Source
from safar.catalogue.step_names import check_catalogue, check_step_names, record_step_names

__all__ = [
    "Again",
    "Approval",
    "Cadence",
    "Campaign",
    "Catalogue",
    "Defaults",
    "FrequencyCap",
    "Goal",
    "QuietHours",
    "Send",
    "Source",
    "Step",
    "campaign_plan",
    "check_catalogue",
    "check_step_names",
    "load_catalogue",
    "plan_decisions",
    "record_step_names",
]
