"""Mails, calls, meetings and tasks as HubSpot's records."""

from __future__ import annotations

from functools import partial

from sandbox.company import Company
from sandbox.company.crm import write_milliseconds
from sandbox.company.engagements import FIRST_ENGAGEMENT_ID, KINDS, Engagement, list_engagements
from sandbox.company.staff import choose_owner
from sandbox.hubspot.records import ObjectKind, PlainRecord
from sandbox.hubspot.sales import make_record

Properties = dict[str, str | None]
REACHED, NO_ANSWER = "f240bbac-87c9-4f6e-bf70-924b57d47db7", "73a0d17f-1163-4015-bdd5-ec830791da20"
"""HubSpot's own dispositions of calls."""


def list_all_engagements(company: Company) -> list[Engagement]:
    return list_engagements(company.seed, company.population, company.seconds)


def list_activity_records(company: Company, kind: str) -> list[PlainRecord]:
    return [_describe(company, one) for one in list_all_engagements(company) if one.kind == kind]


ACTIVITIES = tuple(
    ObjectKind(kind, partial(list_activity_records, kind=kind), ("hs_timestamp",), searched=()) for kind in KINDS
)


def _describe(company: Company, one: Engagement) -> PlainRecord:
    name = " ".join(written for written, _ in company.population.names(one.deal.person))
    properties: Properties = {
        "hs_timestamp": write_milliseconds(one.happens_at * 1000),
        "hubspot_owner_id": str(choose_owner(one.deal.number)),
        **_SPECIAL[one.kind](one, name, company.population.address(one.deal.person)),
    }
    moments = (one.created_at, one.updated_at, None)
    return make_record(FIRST_ENGAGEMENT_ID + one.number, moments, properties)


def _describe_email(one: Engagement, name: str, address: str) -> Properties:
    return {
        "hs_email_direction": "INCOMING_EMAIL" if one.is_incoming else "EMAIL",
        "hs_email_status": "BOUNCED" if one.number % 37 == 0 else "SENT",
        "hs_email_subject": f"Your enquiry, {name}",
        "hs_email_text": f"Dear {name}, ...",
        "hs_email_to_email": address,
    }


def _describe_call(one: Engagement, name: str, _: str) -> Properties:
    is_reached = one.number % 4 != 0
    return {
        "hs_call_direction": "INBOUND" if one.is_incoming else "OUTBOUND",
        "hs_call_status": "COMPLETED" if one.is_done else "IN_PROGRESS",
        "hs_call_disposition": REACHED if is_reached else NO_ANSWER,
        "hs_call_duration": str(one.number % 1800 * 1000 if is_reached else 0),
        "hs_call_title": f"Call with {name}",
        "hs_call_body": f"{name} wants to think about it.",
    }


def _describe_meeting(one: Engagement, name: str, _: str) -> Properties:
    ends = "COMPLETED" if one.number % 5 else "NO_SHOW"
    return {
        "hs_meeting_start_time": write_milliseconds(one.happens_at * 1000),
        "hs_meeting_end_time": write_milliseconds(one.done_at * 1000),
        "hs_meeting_outcome": ends if one.is_done else "SCHEDULED",
        "hs_meeting_title": f"Samples for {name}",
        "hs_meeting_body": f"Bring the catalogue for {name}.",
    }


def _describe_task(one: Engagement, name: str, _: str) -> Properties:
    return {
        "hs_task_status": "COMPLETED" if one.is_done else "NOT_STARTED",
        "hs_task_priority": ("NONE", "MEDIUM", "HIGH")[one.number % 3],
        "hs_task_type": ("TODO", "CALL", "EMAIL")[one.number % 3],
        "hs_task_subject": f"Follow up with {name}",
        "hs_task_body": None,
    }


_SPECIAL = {
    "emails": _describe_email,
    "calls": _describe_call,
    "meetings": _describe_meeting,
    "tasks": _describe_task,
}
