"""From decisions to messages: check, ask, plan, claim, send, account."""

from safar.delivery.addresses import hash_address, normalise_email
from safar.delivery.audience import Approval, AudienceSize, measure_audience, record_approval
from safar.delivery.dispatching import DispatchOptions, dispatch_messages, send_due
from safar.delivery.guard import require_allowed_host
from safar.delivery.outgoing import check_outgoing
from safar.delivery.planning import plan_campaign
from safar.delivery.publishing import publish_templates
from safar.delivery.reports import DispatchReport, PlanReport
from safar.delivery.rules import DeliveryRules

__all__ = [
    "Approval",
    "AudienceSize",
    "DeliveryRules",
    "DispatchOptions",
    "DispatchReport",
    "PlanReport",
    "check_outgoing",
    "dispatch_messages",
    "hash_address",
    "measure_audience",
    "normalise_email",
    "plan_campaign",
    "publish_templates",
    "record_approval",
    "require_allowed_host",
    "send_due",
]
