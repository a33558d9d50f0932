"""One HTTP server for all vendors of the company, by path prefix."""

from __future__ import annotations

from fastapi import FastAPI

from sandbox.company import Company
from sandbox.config import SandboxConfig
from sandbox.mailbox.routes import create_router as create_mailbox_router
from sandbox.sendgrid.routes import create_router as create_sendgrid_router


def create_app(config: SandboxConfig) -> FastAPI:
    """Builds the company and mounts its vendors; ``app.state.company`` is the company."""
    company = Company(config)
    app = FastAPI(title="Safar's sandbox company", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.company = company
    app.include_router(create_sendgrid_router(company), prefix="/sendgrid")
    app.include_router(create_mailbox_router(company), prefix="/mailbox")
    return app
