"""Routes, mounted by sandbox.app."""

from __future__ import annotations

from fastapi import APIRouter

from sandbox.company import Company


def create_router(company: Company) -> APIRouter:
    """Builds the router."""
    return APIRouter()
