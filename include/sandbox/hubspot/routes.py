"""HubSpot's part of the server."""

from __future__ import annotations

from fastapi import APIRouter

from sandbox.company import Company
from sandbox.hubspot.contacts import add_contact_routes
from sandbox.hubspot.gate import Gate
from sandbox.hubspot.preferences import add_preference_routes


def create_router(company: Company) -> APIRouter:
    """Builds HubSpot's routes; all share one app's token and limits."""
    router, gate = APIRouter(), Gate(company)
    add_contact_routes(router, company, gate)
    add_preference_routes(router, company, gate)
    return router
