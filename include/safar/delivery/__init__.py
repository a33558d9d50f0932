"""From decisions to messages: check, ask, plan, claim, send, account."""

from safar.delivery.addresses import hash_address, normalise_email
from safar.delivery.audience import Approval, AudienceSize, judge_answer, measure_audience, record_approval
from safar.delivery.circuit_breaker import ChannelHealth, watch_channel
from safar.delivery.dispatching import DispatchOptions, dispatch_messages, send_due
from safar.delivery.first_live import FirstLiveApproval, approve_first_live
from safar.delivery.guard import require_allowed_host
from safar.delivery.outgoing import check_outgoing
from safar.delivery.planning import plan_campaign
from safar.delivery.publishing import publish_templates
from safar.delivery.reports import DispatchReport, PlanReport
from safar.delivery.rules import BreakerThresholds, DeliveryRules
from safar.delivery.stops import Pause, describe_scope, list_pauses, pause_sending, resume_sending

__all__ = [
    "Approval",
    "AudienceSize",
    "BreakerThresholds",
    "ChannelHealth",
    "DeliveryRules",
    "DispatchOptions",
    "DispatchReport",
    "FirstLiveApproval",
    "Pause",
    "PlanReport",
    "approve_first_live",
    "check_outgoing",
    "describe_scope",
    "dispatch_messages",
    "hash_address",
    "judge_answer",
    "list_pauses",
    "measure_audience",
    "normalise_email",
    "pause_sending",
    "plan_campaign",
    "publish_templates",
    "record_approval",
    "require_allowed_host",
    "resume_sending",
    "send_due",
    "watch_channel",
]
