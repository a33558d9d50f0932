"""A campaign as the decisions' SQL reads it: plain numbers, seconds and names."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from typing import Any

from safar.catalogue.campaign import Campaign, Step
from safar.catalogue.loading import Catalogue

# What changes the way a person goes; priority, holdout or max_lag do not.
JOURNEY = ("audience", "again", "again_after_seconds", "goal_model", "goal_at", "exit", "class", "topic", "steps")


def campaign_plan(campaign: Campaign) -> dict[str, Any]:
    """Resolves a campaign: waits in seconds, shares as fractions, null where nothing is said."""
    plan: dict[str, Any] = {
        "name": campaign.name,
        "audience": campaign.enter,
        "cadence": campaign.cadence,
        "again": campaign.again.kind,
        "again_after_seconds": _seconds(campaign.again.after),
        "goal_model": campaign.goal.model if campaign.goal else None,
        "goal_at": campaign.goal.at if campaign.goal else None,
        "exit": campaign.exit,
        "class": campaign.class_,
        "topic": campaign.topic,
        "priority": campaign.priority,
        "holdout": float(campaign.holdout),
        "max_lag_seconds": _seconds(campaign.max_lag),
        "max_source_age_seconds": _seconds(campaign.max_source_age),
        "caps": [
            {
                "channel": cap.channel,
                "class": cap.class_,
                "limit": cap.messages,
                "window_seconds": _seconds(cap.within),
            }
            for cap in campaign.frequency_caps
        ],
        "fields": list(campaign.fields),
        "steps": [_plan_step(step) for step in campaign.steps],
    }
    return {**plan, "journey_version": _version({key: plan[key] for key in JOURNEY})}


def plan_decisions(catalogue: Catalogue) -> dict[str, Any]:
    """Everything that the decisions' SQL takes from the catalogue: what SAFAR_CAMPAIGNS holds, as JSON."""
    defaults = catalogue.defaults
    return {
        "campaigns": [campaign_plan(campaign) for campaign in catalogue.campaigns.values()],
        "rules": {
            "universal_control": float(defaults.universal_control),
            "holdout_salt": defaults.holdout_salt,
        },
    }


def _plan_step(step: Step) -> dict[str, Any]:
    return {
        "name": step.name,
        "wait_seconds": _seconds(step.wait_from_previous),
        "when": step.when,
        "channel": step.send.channel,
        "template": step.send.template,
        "if_not_sent": step.if_not_sent,
        "previous": step.previous,
    }


def _seconds(length: timedelta | None) -> int | None:
    return None if length is None else int(length.total_seconds())


def _version(journey: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(journey, sort_keys=True).encode()).hexdigest()[:12]
