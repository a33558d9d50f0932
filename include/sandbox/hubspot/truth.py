"""The truth about what HubSpot knows beside contacts, in the words of the company."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox.clock import to_seconds, write_seconds
from sandbox.company import Company
from sandbox.company.businesses import FIRST_BUSINESS_ID
from sandbox.company.deals import FIRST_DEAL_ID, PIPELINES, list_deals
from sandbox.company.engagements import FIRST_ENGAGEMENT_ID
from sandbox.company.staff import list_colleagues
from sandbox.company.tickets import FIRST_TICKET_ID
from sandbox.hubspot.activities import list_all_engagements
from sandbox.hubspot.forms import list_visible
from sandbox.hubspot.links import list_links
from sandbox.hubspot.lists import tell_memberships
from sandbox.hubspot.sales import open_businesses
from sandbox.hubspot.service import list_all_tickets


def list_businesses(company: Company) -> list[dict[str, Any]]:
    """All firms."""
    return [
        {
            "id": str(FIRST_BUSINESS_ID + one.number),
            "name": one.name,
            "employees_count": one.employees_count,
            "updated_at": write_seconds(one.updated_at),
            "archived": one.archived_at is not None,
            "merged": [str(FIRST_BUSINESS_ID + number) for number in one.merged],
        }
        for one in open_businesses(company).list_known(company.seconds)
    ]


def tell_deals(company: Company) -> list[dict[str, Any]]:
    """All deals with their course."""
    return [
        {
            "id": str(FIRST_DEAL_ID + deal.number),
            "pipeline": deal.pipeline.pipeline_id,
            "entries": [[write_seconds(at), stage.stage_id] for at, stage in deal.entries],
            "amount_cents": deal.amount_cents,
            "currency": deal.currency,
            "updated_at": write_seconds(deal.updated_at),
            "archived": deal.archived_at is not None,
        }
        for deal in list_deals(company.seed, company.population, company.seconds)
    ]


def tell_links(company: Company) -> list[dict[str, Any]]:
    """All associations between living records."""
    return [
        {"from": one.of, "to": one.to, "from_id": str(one.of_id), "to_id": str(one.to_id)}
        for one in list_links(company)
    ]


def tell_owners(company: Company) -> list[dict[str, Any]]:
    """Everybody who ever owned a record."""
    return [
        {
            "id": str(one.owner_id),
            "email": one.email,
            "archived": one.left_at is not None and one.left_at <= company.seconds,
        }
        for one in list_colleagues(to_seconds(company.config.start))
    ]


def tell_stages(company: Company) -> list[dict[str, Any]]:
    """The stages of all pipelines, in their order."""
    return [
        {"pipeline": pipeline.pipeline_id, "stage": stage.stage_id, "is_closed": stage.is_closed}
        for pipeline in PIPELINES
        for stage in pipeline.stages
    ]


def tell_tickets(company: Company) -> list[dict[str, Any]]:
    """All tickets with their course."""
    return [
        {
            "id": str(FIRST_TICKET_ID + one.number),
            "person_id": one.person,
            "entries": [[write_seconds(at), stage.stage_id] for at, stage in one.entries],
            "closed_at": None if one.closed_at is None else write_seconds(one.closed_at),
            "updated_at": write_seconds(one.updated_at),
            "archived": one.archived_at is not None,
        }
        for one in list_all_tickets(company)
    ]


def tell_activities(company: Company) -> list[dict[str, Any]]:
    """All mails, calls, meetings and tasks of the sales people."""
    return [
        {
            "kind": one.kind,
            "id": str(FIRST_ENGAGEMENT_ID + one.number),
            "happens_at": write_seconds(one.happens_at),
            "updated_at": write_seconds(one.updated_at),
            "is_done": one.is_done,
            "is_incoming": one.is_incoming,
            "archived": False,
        }
        for one in list_all_engagements(company)
    ]


def tell_submissions(company: Company) -> list[dict[str, Any]]:
    """All that was sent by forms and is still there."""
    return [
        {
            "form_id": one.form.form_id,
            "id": one.conversion_id,
            "person_id": one.person,
            "at_ms": one.at_ms,
            "values": dict(one.values),
        }
        for one in list_visible(company)
    ]


def tell_members(company: Company) -> list[dict[str, Any]]:
    """Who is on which list."""
    return [
        {"list_id": str(list_id), "id": str(record), "since": write_seconds(since)}
        for list_id, record, since in tell_memberships(company)
    ]


VIEWS: dict[str, Callable[[Company], Any]] = {
    "activities": tell_activities,
    "businesses": list_businesses,
    "deals": tell_deals,
    "links": tell_links,
    "memberships": tell_members,
    "owners": tell_owners,
    "stages": tell_stages,
    "submissions": tell_submissions,
    "tickets": tell_tickets,
}
