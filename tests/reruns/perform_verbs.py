"""Run as a process of its own: performs the verbs that it reads from standard input, one JSON object a line.

Answers each with a line of JSON: what it returned, or why it failed. The functions are those that the operators call.
"""

from __future__ import annotations

import contextlib
import json
import sys
import traceback
from collections.abc import Callable
from datetime import datetime
from typing import Any

from safar.catalogue import load_catalogue
from safar.delivery import DeliveryRules, check_outgoing, dispatch_messages, measure_audience, plan_campaign
from safar.extraction import check_load, land_source
from safar.feedback import collect_feedback, keep_house
from safar.warehouse import build_models, decide, gate_campaigns, pin_run, publish_contacts, read_pin
from safar.workspace import Workspace

NIGHT = ("build_nightly", "night")
workspace = Workspace.open()
catalogue = load_catalogue(workspace.settings)


def pin_night(as_of: str) -> str:
    pinned = pin_run(
        workspace,
        dag_id=NIGHT[0],
        airflow_run_id=NIGHT[1],
        cadence="nightly",
        as_of=datetime.fromisoformat(as_of),
        catalogue=catalogue,
    )
    return pinned.run_id


def read_night() -> Any:
    return read_pin(workspace, "/".join(NIGHT))


def build_night() -> list[str]:
    return [result.node for result in build_models(workspace, read_night()).red]


def plan(campaign: str) -> str:
    assert not measure_audience(workspace, campaign, catalogue).needs_approval
    return plan_campaign(workspace, campaign, catalogue).describe()


VERBS: dict[str, Callable[..., Any]] = {
    "land": lambda source: land_source(workspace, catalogue.sources[source]).load_id,
    "check": lambda source, load_id: check_load(workspace, catalogue.sources[source], load_id),
    "pin": pin_night,
    "build": build_night,
    "gate": lambda: gate_campaigns(workspace, read_night(), catalogue),
    "publish": lambda: publish_contacts(workspace, read_night(), catalogue).describe(),
    "decide": lambda: decide(workspace, read_night(), catalogue).describe(),
    "check_outgoing": lambda campaign: check_outgoing(workspace, campaign, catalogue).row_count,
    "plan": plan,
    "dispatch": lambda: dispatch_messages(workspace, catalogue).describe(),
    "settle": lambda: collect_feedback(workspace, DeliveryRules.from_catalogue(catalogue).breaker).describe(),
    "keep_house": lambda: keep_house(workspace).describe(),
}


def perform(verb: str, arguments: dict[str, Any]) -> dict[str, Any]:
    try:
        # Libraries print; standard output is for answers.
        with contextlib.redirect_stdout(sys.stderr):
            return {"returned": VERBS[verb](**arguments)}
    except Exception:
        return {"failed": traceback.format_exc(limit=4)}


print(json.dumps({"returned": "ready"}), flush=True)
for line in sys.stdin:
    order = json.loads(line)
    print(json.dumps(perform(order.pop("verb"), order), default=str), flush=True)
