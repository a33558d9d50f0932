"""Around dbt: pin a run, build, gate, publish to the ledger, decide, give the verdict."""

from safar.warehouse.announcing import announce_blocked
from safar.warehouse.build import BuildReport, build_models
from safar.warehouse.build_lock import take_build_lock
from safar.warehouse.dbt import DbtFailed, describe_warehouse
from safar.warehouse.decide import OUTCOMES, DecisionReport, UndecidedCandidates, decide, hold_decide_lock
from safar.warehouse.docs import write_docs
from safar.warehouse.freshness import missing_sources
from safar.warehouse.gate import gate_campaigns, list_newly_blocked, mark_announced
from safar.warehouse.manifest import Manifest, read_manifest, write_manifest
from safar.warehouse.pin import NotPinned, Pin, Superseded, pin_run, read_pin, require_current
from safar.warehouse.publish import PublishReport, publish_contacts
from safar.warehouse.results import NodeResult, read_recorded, record_results
from safar.warehouse.rules_version import compute_rules_version
from safar.warehouse.verdict import RedModels, give_verdict

__all__ = [
    "OUTCOMES",
    "BuildReport",
    "DbtFailed",
    "DecisionReport",
    "Manifest",
    "NodeResult",
    "NotPinned",
    "Pin",
    "PublishReport",
    "RedModels",
    "Superseded",
    "UndecidedCandidates",
    "announce_blocked",
    "build_models",
    "compute_rules_version",
    "decide",
    "describe_warehouse",
    "gate_campaigns",
    "give_verdict",
    "hold_decide_lock",
    "list_newly_blocked",
    "mark_announced",
    "missing_sources",
    "pin_run",
    "publish_contacts",
    "read_manifest",
    "read_pin",
    "read_recorded",
    "record_results",
    "require_current",
    "take_build_lock",
    "write_docs",
    "write_manifest",
]
