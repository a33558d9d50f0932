"""Finds, checks and compiles include/templates/<template>/<locale>.mjml."""

from __future__ import annotations

import hashlib
import html
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from safar.catalogue.template_fields import PROVIDED, find_raw_output, scan_fields
from safar.delivery.plain_text import read_plain_text
from safar.delivery.required_fields import list_required_fields
from safar.errors import ConfigurationError

COMPANY = re.compile(r"\{\{\s*company\.(\w+)\s*\}\}")
MJ_TAG = re.compile(r"<\s*(mj[\w-]*)")
TITLE = re.compile(r"<mj-title>(.*?)</mj-title>", re.DOTALL)
INCLUDE = re.compile(r"""<mj-include\s+path=["']([^"']+)["']\s*/>""")
PREVIEW = re.compile(r"<mj-preview>(.*?)</mj-preview>", re.DOTALL)
# mjml passes a tag that it does not know through without a word.
KNOWN_TAGS = frozenset(
    [
        "mjml",
        "mj-head",
        "mj-body",
        "mj-title",
        "mj-preview",
        "mj-attributes",
        "mj-all",
        "mj-class",
        "mj-style",
        "mj-font",
        "mj-breakpoint",
        "mj-raw",
        "mj-html-attributes",
        "mj-selector",
        "mj-html-attribute",
        "mj-include",
        "mj-section",
        "mj-column",
        "mj-group",
        "mj-wrapper",
        "mj-text",
        "mj-button",
        "mj-image",
        "mj-divider",
        "mj-spacer",
        "mj-table",
        "mj-social",
        "mj-social-element",
        "mj-navbar",
        "mj-navbar-link",
        "mj-hero",
        "mj-accordion",
        "mj-accordion-element",
        "mj-accordion-title",
        "mj-accordion-text",
        "mj-carousel",
        "mj-carousel-image",
    ]
)


@dataclass(frozen=True)
class TemplateContent:
    """What one template says in one locale, ready for Handlebars."""

    template: str
    locale: str
    subject: str
    html: str
    text: str
    fields: tuple[str, ...]
    """What it takes from the audience."""
    required: tuple[str, ...]
    """Those of them for which it has no default."""

    @property
    def content_hash(self) -> str:
        parts = "\0".join((self.subject, self.html, self.text))
        return hashlib.sha256(parts.encode()).hexdigest()[:32]


def list_locales(templates: Path, template: str) -> list[str]:
    """The locales in which a template is written."""
    return sorted(path.stem for path in (templates / template).glob("*.mjml"))


def choose_locale(wanted: str, locales: Iterable[str], default: str) -> str | None:
    """The best locale there is: the wanted one, its language alone, or the default."""
    known = {locale.lower(): locale for locale in locales}
    normal = wanted.replace("_", "-").lower()
    candidates = (normal, normal.partition("-")[0], default.lower())
    return next((known[candidate] for candidate in candidates if candidate in known), None)


def compile_template(templates: Path, template: str, locale: str, company: Mapping[str, str]) -> TemplateContent:
    """Compiles one file. ``{{company.<name>}}`` is filled in now, everything else when a message is sent.

    Raises:
        ConfigurationError: the file is missing or not sound; the message names it and what to do.
    """
    path = templates / template / f"{locale}.mjml"
    try:
        source = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read ({error.strerror}). Write the template there.") from error
    for problem in find_raw_output(path):
        raise ConfigurationError(problem)
    source = _with_includes(path, source)
    _check_source(path, source)
    filled = COMPANY.sub(lambda match: _fill_company(path, match[1], company), source)
    body = _compile_mjml(path, filled)
    _require_element(path, filled, PREVIEW, "mj-preview", "what the inbox shows beside the subject")
    subject = html.unescape(_require_element(path, filled, TITLE, "mj-title", "the subject"))
    needed = [name for name in scan_fields(subject + body) if name not in PROVIDED]
    return TemplateContent(
        template=template,
        locale=locale,
        subject=subject,
        html=body,
        text=read_plain_text(body),
        fields=tuple(needed),
        required=tuple(name for name in list_required_fields(subject + body) if name in needed),
    )


def _check_source(path: Path, source: str) -> None:
    unknown = [tag for tag in MJ_TAG.findall(source) if tag not in KNOWN_TAGS]
    if unknown:
        raise ConfigurationError(f"{path}: <{unknown[0]}> is not an MJML tag. Mend its spelling.")
    if "{{unsubscribe_url}}" not in source:
        raise ConfigurationError(f"{path}: there is no link to {{{{unsubscribe_url}}}}. Add one to the footer.")


def _require_element(path: Path, source: str, pattern: re.Pattern[str], name: str, content: str) -> str:
    match = pattern.search(source)
    text = " ".join(match[1].split()) if match else ""
    if not text:
        raise ConfigurationError(f"{path}: there is no <{name}>, which holds {content}. Add it to <mj-head>.")
    return text


def _with_includes(path: Path, source: str) -> str:
    """Puts the included files into the text, so that every check sees what the mail will hold."""

    def read_include(match: re.Match[str]) -> str:
        included = path.parent / match[1]
        try:
            return _with_includes(included, included.read_text(encoding="utf-8"))
        except (OSError, RecursionError) as error:
            raise ConfigurationError(
                f"{path}: <mj-include path={match[1]!r}> cannot be read. Mend the path."
            ) from error

    return INCLUDE.sub(read_include, source)


def _fill_company(path: Path, name: str, company: Mapping[str, str]) -> str:
    value = company.get(name)
    if not value:
        raise ConfigurationError(
            f"{path}: {{{{company.{name}}}}} has no value. Add {name!r} to extra.company of connection 'sendgrid'."
        )
    # A brace in a value would become Handlebars.
    return html.escape(value.replace("{", "").replace("}", ""), quote=True)


def _compile_mjml(path: Path, source: str) -> str:
    from mjml import mjml2html

    try:
        return str(mjml2html(source, disable_comments=True, fonts={}))
    except (ValueError, OSError) as error:
        raise ConfigurationError(f"{path} is not sound MJML: {error}. Every tag must be closed in order.") from error
