"""The mailbox's pages, below /mailbox."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from sandbox.company import Company
from sandbox.mailbox.listing import Mailbox
from sandbox.sendgrid.account import find_account

# The mails come from outside: nothing on these pages may run, and nothing but their pictures is fetched.
CONTENT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src http: https: data:; font-src http: https:"
_pages = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "pages"), autoescape=True, undefined=StrictUndefined
)


def create_router(company: Company) -> APIRouter:
    """Builds the list of mails and the page of one mail."""
    mailbox = Mailbox(find_account(company))
    router = APIRouter(default_response_class=HTMLResponse)

    @router.get("")
    def show_list(search: str = "", page: Annotated[int, Query(ge=1)] = 1) -> HTMLResponse:
        return _answer("list.html", search=search, mails=mailbox.list_page(search, page))

    @router.get("/{mail_id}")
    def show_mail(mail_id: int) -> HTMLResponse:
        mail = mailbox.read(mail_id)
        if mail is None:
            return _answer("missing.html", 404, mail_id=mail_id)
        return _answer("mail.html", mail=mail)

    return router


def _answer(page: str, status: int = 200, **values: object) -> HTMLResponse:
    text = _pages.get_template(page).render(**values)
    return HTMLResponse(text, status, {"Content-Security-Policy": CONTENT_POLICY, "Cache-Control": "no-store"})
