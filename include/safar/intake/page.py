"""Renders the pages of the intake: one file each, no scripts, nothing loaded from anywhere."""

from __future__ import annotations

import math
from base64 import b64encode
from hashlib import sha256
from html import escape
from pathlib import Path
from string import Template

from starlette.responses import HTMLResponse

from safar.intake.texts import Texts

FOLDER = Path(__file__).parent
STYLE = (FOLDER / "page.css").read_text(encoding="utf-8")
PAGE = Template((FOLDER / "page.html").read_text(encoding="utf-8"))
# No action: the form posts to the link it was opened by, which stays out of the page's text.
FORM = Template(
    '<form method="post">\n$fields<input type="hidden" name="confirm" value="page">\n'
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
TRY_AGAIN_SECONDS = 60


def render_page(
    name: str,
    texts: Texts,
    address: str | None = None,
    status: int = 200,
    *,
    fields: str = "",
    retry_after: float = TRY_AGAIN_SECONDS,
) -> HTMLResponse:
    """Renders one page.

    Args:
        name: which of the texts' pages.
        address: the recipient's address, shown masked; None when it is not known or must not be shown.
        fields: the form's fields as HTML, on pages with a button.
        retry_after: seconds, told with status 429 and 503.
    """
    words = texts.pages[name]
    shown = f'<bdi dir="ltr">{escape(mask_email(address))}</bdi>' if address else escape(texts.this_address)
    html = PAGE.substitute(
        language=texts.language,
        direction=texts.direction,
        title=escape(words.title),
        text=escape(words.text).replace("{address}", shown),
        form=FORM.substitute(fields=fields, button=escape(words.button)) if words.button else "",
        style=STYLE,
    )
    headers = {**HEADERS, "Content-Language": texts.language}
    if status in (429, 503):
        headers["Retry-After"] = str(max(1, math.ceil(retry_after)))
    return HTMLResponse(html, status, headers)


def mask_email(address: str) -> str:
    """Returns an address that its owner recognises and nobody else can use: ``b•••@e•••.com``."""
    name, _, domain = address.rpartition("@")
    host, _, ending = domain.rpartition(".")
    return f"{name[:1]}•••@{host[:1]}•••.{ending}"
