"""What came back: settles unknown messages, fetches suppressions, and checks that every figure adds up."""

from safar.feedback.collecting import FeedbackReport, collect_feedback
from safar.feedback.housekeeping import HouseReport, keep_house
from safar.feedback.identities import IdentityBroken, IdentityReport, check_identities
from safar.feedback.reconciling import ReconcileReport, reconcile_ledger
from safar.feedback.settling import SettleReport, settle_unknown

__all__ = [
    "FeedbackReport",
    "HouseReport",
    "IdentityBroken",
    "IdentityReport",
    "ReconcileReport",
    "SettleReport",
    "check_identities",
    "collect_feedback",
    "keep_house",
    "reconcile_ledger",
    "settle_unknown",
]
