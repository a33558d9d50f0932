"""Renders the unsubscribe page: one file, no scripts, nothing loaded from anywhere."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from html import escape
from pathlib import Path
from string import Template
from typing import Literal

from starlette.responses import HTMLResponse

from safar.intake.texts import Texts

Answer = Literal["ask", "done", "invalid", "expired", "unavailable"]

FOLDER = Path(__file__).parent
STYLE = (FOLDER / "page.css").read_text(encoding="utf-8")
PAGE = Template((FOLDER / "page.html").read_text(encoding="utf-8"))
# No action: the form posts to the link it was opened by, which stays out of the page's text.
FORM = Template(
    '<form method="post">\n<input type="hidden" name="confirm" value="page">\n'
    '<button type="submit">$button</button>\n</form>\n'
)
STYLE_HASH = b64encode(sha256(STYLE.encode()).digest()).decode()
HEADERS = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{STYLE_HASH}'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex, nofollow",
    "Cache-Control": "no-store",
    "Permissions-Policy": "interest-cohort=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Vary": "Accept-Language",
}


def render_page(answer: Answer, texts: Texts, address: str | None = None, status: int = 200) -> HTMLResponse:
    """Renders one answer of the unsubscribe link.

    Args:
        address: the recipient's address, shown masked; None when it is not known or must not be shown.
    """
    shown = f'<bdi dir="ltr">{escape(mask_email(address))}</bdi>' if address else escape(texts.this_address)
    words = getattr(texts, f"{answer}_text")
    html = PAGE.substitute(
        language=texts.language,
        direction=texts.direction,
        title=escape(getattr(texts, f"{answer}_title")),
        text=escape(words).replace("{address}", shown),
        form=FORM.substitute(button=escape(texts.ask_button)) if answer == "ask" else "",
        style=STYLE,
    )
    headers = {**HEADERS, "Content-Language": texts.language}
    if status == 503:
        headers["Retry-After"] = "60"
    return HTMLResponse(html, status, headers)


def mask_email(address: str) -> str:
    """Returns an address that its owner recognises and nobody else can use: ``b•••@e•••.com``."""
    name, _, domain = address.rpartition("@")
    host, _, ending = domain.rpartition(".")
    return f"{name[:1]}•••@{host[:1]}•••.{ending}"
