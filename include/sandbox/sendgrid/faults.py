"""What goes wrong with this vendor on request, beside what goes wrong with every vendor."""

from __future__ import annotations

from sandbox.faults import declare_fault

TIMEOUT_AFTER_ACCEPT = ("timeout_after_accept",)
SERVER_ERROR_AFTER_ACCEPT = ("server_error_after_accept",)
RESET_AFTER_ACCEPT = ("reset_after_accept",)
BAD_REQUEST_FOR_ONE = ("bad_request_for_one",)
PAYLOAD_TOO_LARGE = ("payload_too_large",)

_DESCRIPTIONS = {
    "timeout_after_accept": "mail/send: the mails are taken, the answer never comes (silent for "
    "`seconds`, default 600): the 202 that nobody saw.",
    "reset_after_accept": "mail/send: the mails are taken, then the connection is reset: a load balancer "
    "that restarts.",
    "server_error_after_accept": "mail/send: the mails are taken, then `status` (default 500) is "
    "answered: a gateway that gave up waiting for the part behind it.",
    "bad_request_for_one": "mail/send: 400 as long as the request holds one certain address (`email`, or "
    "the middle one of the first request): the vendor's idea of an address is narrower than ours.",
    "payload_too_large": "mail/send: 413 whatever its size: attachments and templates count too.",
    "repeat_events": "Each post of the event webhook comes twice: the vendor promises at least once.",
    "reorder_events": "The events of an hour come in any order: the vendor promises none.",
    "delay_events": "The events of an hour come a day late: an outage of the webhook's queue.",
    "forge_events": "Beside the true events come some that somebody else made and signed with another key.",
}

for _name, _description in _DESCRIPTIONS.items():
    declare_fault(_name, _description, vendor="sendgrid")
