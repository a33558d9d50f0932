"""One HTTP server for all vendors of the company, by path prefix."""

from __future__ import annotations

from fastapi import FastAPI, Request, Response

from sandbox import administration, truth
from sandbox.answers import Refused
from sandbox.company import Company
from sandbox.config import SandboxConfig
from sandbox.google.errors import SHAPES as GOOGLE_SHAPES
from sandbox.google.routes import create_router as create_google_router
from sandbox.hubspot.errors import SHAPES as HUBSPOT_SHAPES
from sandbox.hubspot.routes import create_router as create_hubspot_router
from sandbox.linkedin.errors import SHAPES as LINKEDIN_SHAPES
from sandbox.linkedin.routes import create_router as create_linkedin_router
from sandbox.mailbox.routes import create_router as create_mailbox_router
from sandbox.meta.errors import SHAPES as META_SHAPES
from sandbox.meta.routes import create_router as create_meta_router
from sandbox.salesforce.errors import SHAPES as SALESFORCE_SHAPES
from sandbox.salesforce.routes import create_router as create_salesforce_router
from sandbox.salesforce.routes import create_truth_router as create_salesforce_truth
from sandbox.sendgrid.errors import SHAPES as SENDGRID_SHAPES
from sandbox.sendgrid.routes import create_router as create_sendgrid_router
from sandbox.sendgrid.truth import router as sendgrid_truth
from sandbox.shopify.errors import make_shapes as make_shopify_shapes
from sandbox.shopify.routes import create_router as create_shopify_router
from sandbox.spoiling import SpoilingMiddleware
from sandbox.tiktok.errors import SHAPES as TIKTOK_SHAPES
from sandbox.tiktok.routes import create_router as create_tiktok_router
from sandbox.tracking import create_router as create_tracking_router


def create_app(config: SandboxConfig) -> FastAPI:
    """Builds the company and mounts its vendors; ``app.state.company`` is the company.

    Raises:
        ValueError: the home belongs to another company.
    """
    company = Company(config)
    app = FastAPI(title="Safar's sandbox company", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.company = company
    app.include_router(administration.create_router(company))
    app.include_router(create_salesforce_truth(company), prefix="/truth/salesforce")
    app.include_router(truth.create_router(company), prefix="/truth")
    app.include_router(create_google_router(company), prefix="/google")
    app.include_router(create_hubspot_router(company), prefix="/hubspot")
    app.include_router(create_linkedin_router(company), prefix="/linkedin")
    app.include_router(create_meta_router(company), prefix="/meta")
    app.include_router(create_salesforce_router(company), prefix="/salesforce")
    app.include_router(create_shopify_router(company), prefix="/shopify")
    app.include_router(create_sendgrid_router(company), prefix="/sendgrid")
    app.include_router(create_tiktok_router(company), prefix="/tiktok")
    app.include_router(create_mailbox_router(company), prefix="/mailbox")
    app.include_router(create_tracking_router(company), prefix="/tracking")
    app.include_router(sendgrid_truth)
    app.add_exception_handler(Refused, _answer_refused)
    shapes = {
        "google": GOOGLE_SHAPES,
        "hubspot": HUBSPOT_SHAPES,
        "linkedin": LINKEDIN_SHAPES,
        "meta": META_SHAPES,
        "salesforce": SALESFORCE_SHAPES,
        "shopify": make_shopify_shapes(config.shopify_restore_rate),
        "sendgrid": SENDGRID_SHAPES,
        "tiktok": TIKTOK_SHAPES,
    }
    app.add_middleware(SpoilingMiddleware, company=company, shapes=shapes)
    return app


async def _answer_refused(request: Request, refused: Exception) -> Response:
    return refused.response if isinstance(refused, Refused) else Response(status_code=500)
