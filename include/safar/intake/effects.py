"""What an event means for the person: no more mail to this address, or no more of this topic."""

from __future__ import annotations

from safar.intake.events import ProviderEvent

DROPPED_FOR = {
    "Bounced Address": "hard_bounce",
    "Invalid": "invalid_address",
    "Spam Reporting Address": "complaint",
}
EVERY_TOPIC = "all"


def find_suppression(event: ProviderEvent) -> str | None:
    """Returns why the address must not be written to any more, if so.

    A bounce of type ``blocked`` is the receiving server's mood of the hour and not the address's fault.
    """
    match event.event_type:
        case "bounce" if event.payload.get("type", "bounce") == "bounce":
            return "hard_bounce"
        case "spamreport":
            return "complaint"
        case "dropped":
            return DROPPED_FOR.get(event.reason or "")
    return None


def find_withdrawn_topic(event: ProviderEvent) -> str | None:
    """Returns the topic that the person no longer wants; an empty string means that of the message.

    A resubscription at the provider grants nothing: permission grows only where we can prove it.
    """
    match event.event_type:
        case "unsubscribe":
            return EVERY_TOPIC
        case "group_unsubscribe":
            return ""
        case "dropped" if event.reason == "Unsubscribed Address":
            return EVERY_TOPIC
    return None
