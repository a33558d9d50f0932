"""Tickets as HubSpot's records."""

from __future__ import annotations

from sandbox.company import Company
from sandbox.company.crm import write_milliseconds
from sandbox.company.staff import choose_owner
from sandbox.company.tickets import FIRST_TICKET_ID, SUPPORT, Ticket, list_tickets
from sandbox.hubspot.records import ObjectKind, PlainRecord
from sandbox.hubspot.sales import make_record


def list_all_tickets(company: Company) -> list[Ticket]:
    return list_tickets(company.seed, company.population, company.shop, company.seconds)


def list_ticket_records(company: Company) -> list[PlainRecord]:
    return [_describe_ticket(company, one) for one in list_all_tickets(company)]


TICKETS = ObjectKind(
    "tickets",
    list_ticket_records,
    ("content", "hs_pipeline", "hs_pipeline_stage", "hs_ticket_category", "hs_ticket_priority", "subject"),
    searched=("subject", "content"),
    staged="hs_pipeline_stage",
)


def _describe_ticket(company: Company, ticket: Ticket) -> PlainRecord:
    first, family = company.population.names(ticket.person)
    closed = ticket.closed_at
    properties: dict[str, str | None] = {
        "subject": f"{first[0]} {family[0]}: order {ticket.number + 1001}",
        "content": f"Good day, this is {first[0]} {family[0]}. What about my order?",
        "hs_pipeline": SUPPORT.pipeline_id,
        "hs_pipeline_stage": ticket.stage.stage_id,
        "hs_ticket_category": ticket.category,
        "hs_ticket_priority": ticket.priority,
        "source_type": ticket.source,
        "hubspot_owner_id": str(choose_owner(ticket.number)),
        "closed_date": None if closed is None else write_milliseconds(closed * 1000),
    }
    entries = tuple((at * 1000, stage.stage_id) for at, stage in ticket.entries)
    moments = (ticket.created_at, ticket.updated_at, ticket.archived_at)
    return make_record(FIRST_TICKET_ID + ticket.number, moments, properties, entries)
