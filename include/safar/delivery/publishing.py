"""Publishes templates as SendGrid dynamic templates, once per content."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import psycopg
from python_http_client.exceptions import HTTPError

from safar.delivery.sendgrid_answers import DOUBTFUL, read_problems
from safar.delivery.sendgrid_client import open_sendgrid
from safar.delivery.template_files import TemplateContent, compile_template, list_locales
from safar.errors import SafarError
from safar.workspace import Workspace

if TYPE_CHECKING:
    from safar.catalogue import Catalogue

PROVIDER = "sendgrid"
CONFIRMATION_TEMPLATE = "permission_confirmation"
"""Sent by no campaign: the intake plans it when somebody asks for more; see `safar.intake.asking`."""
DEFAULT_COMPANY = {
    "name": "Safar Shop",
    "postal_address": "Example Street 1, 10115 Berlin",
    "url": "https://example.com",
}


@dataclass(frozen=True)
class PublishReport:
    """How many contents were new to the provider."""

    published: tuple[str, ...]
    unchanged_count: int

    def describe(self) -> str:
        new = f": {', '.join(self.published)}" if self.published else ""
        return f"Templates: {len(self.published)} published{new}, {self.unchanged_count} unchanged."


def publish_templates(workspace: Workspace, catalogue: Catalogue) -> PublishReport:
    """Publishes what the campaigns' steps send, where its content changed. Two at once publish each content once.

    Raises:
        ConfigurationError: a template is not sound, or the connection may not be used.
        SafarError: SendGrid did not take a template; nothing is half done, run it again.
    """
    return publish_contents(workspace, compile_all(workspace, catalogue))


def publish_contents(workspace: Workspace, contents: Sequence[TemplateContent]) -> PublishReport:
    """The same for contents that are at hand; see `publish_templates`."""
    with workspace.open_ledger() as connection:
        stale = [content for content in contents if _read_current(connection, content) != content.content_hash]
        if stale:
            connection.execute("select pg_advisory_xact_lock(hashtext('safar.publish'))")
            publisher = _Publisher(open_sendgrid(workspace.settings, workspace.connections.get(PROVIDER)))
            for content in stale:
                if _read_current(connection, content) != content.content_hash:
                    _remember(connection, content, *publisher.publish(content))
    names = tuple(f"{content.template}/{content.locale}" for content in stale)
    return PublishReport(names, len(contents) - len(stale))


def compile_all(workspace: Workspace, catalogue: Catalogue) -> list[TemplateContent]:
    """Every template that a campaign's step sends, and the confirmation mail, in every locale that it is written in."""
    templates = workspace.settings.templates
    extra = workspace.connections.get(PROVIDER).extra
    company = {
        **DEFAULT_COMPANY,
        "name": extra.get("from_name") or DEFAULT_COMPANY["name"],
        **(extra.get("company") or {}),
    }
    used = {step.send.template for campaign in catalogue.campaigns.values() for step in campaign.steps}
    used.add(CONFIRMATION_TEMPLATE)
    return [
        compile_template(templates, template, locale, company)
        for template in sorted(used)
        for locale in list_locales(templates, template)
    ]


def list_published(workspace: Workspace, provider: str) -> dict[tuple[str, str], str]:
    """The provider's template id by (template, locale)."""
    with workspace.open_ledger() as connection:
        rows = connection.execute(
            "select template, locale, provider_template_id from ledger.published_template_current where provider = %s",
            [provider],
        ).fetchall()
    return {(row[0], row[1]): row[2] for row in rows}


class _Publisher:
    """Finds what is there already by its name, so that a lost answer leaves no second copy."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._known: dict[str, dict[str, Any]] | None = None

    def publish(self, content: TemplateContent) -> tuple[str, str]:
        """Makes this content the active version; returns the ids of template and version."""
        name = f"safar/{content.template}/{content.locale}"
        try:
            template = self._list_templates().get(name) or self._create_template(name)
            known = (version for version in template.get("versions") or [] if version["name"] == content.content_hash)
            version = next(known, None) or self._create_version(template["id"], content)
            if not version.get("active"):
                self._client.templates._(template["id"]).versions._(version["id"]).activate.post()
        except HTTPError as error:
            problems = "; ".join(str(problem.get("message")) for problem in read_problems(error.body))
            raise SafarError(
                f"SendGrid refuses template {content.template}/{content.locale} ({error.status_code}): {problems}. "
                "Mend the template, or give the API key of connection 'sendgrid' the permission to write templates."
            ) from error
        except DOUBTFUL as error:
            raise SafarError(
                f"SendGrid did not answer while {content.template}/{content.locale} was published "
                f"({type(error).__name__}). Run it again: what is there already is found by its name."
            ) from error
        return str(template["id"]), str(version["id"])

    def _list_templates(self) -> dict[str, dict[str, Any]]:
        if self._known is not None:
            return self._known
        self._known = {}
        query: dict[str, Any] | None = {"generations": "dynamic", "page_size": 200}
        while query is not None:
            answer = self._client.templates.get(query_params=query).to_dict
            for template in answer["result"]:
                self._known.setdefault(template["name"], template)
            following = (answer.get("_metadata") or {}).get("next")
            query = (
                {name: values[0] for name, values in parse_qs(urlsplit(following).query).items()} if following else None
            )
        return self._known

    def _create_template(self, name: str) -> dict[str, Any]:
        created: dict[str, Any] = self._client.templates.post(
            request_body={"name": name, "generation": "dynamic"}
        ).to_dict
        return created

    def _create_version(self, template_id: str, content: TemplateContent) -> dict[str, Any]:
        created: dict[str, Any] = (
            self._client.templates._(template_id)
            .versions.post(
                request_body={
                    "name": content.content_hash,
                    "active": 1,
                    "subject": content.subject,
                    "html_content": content.html,
                    "plain_content": content.text,
                    "generate_plain_content": False,
                    "editor": "code",
                }
            )
            .to_dict
        )
        return created


def _read_current(connection: psycopg.Connection[Any], content: TemplateContent) -> str | None:
    row = connection.execute(
        "select content_hash from ledger.published_template_current where (provider, template, locale) = (%s, %s, %s)",
        [PROVIDER, content.template, content.locale],
    ).fetchone()
    return row[0] if row else None


def _remember(connection: psycopg.Connection[Any], content: TemplateContent, template_id: str, version_id: str) -> None:
    values = [PROVIDER, content.template, content.locale, content.content_hash, template_id]
    connection.execute(
        "insert into ledger.published_template (provider, template, locale, content_hash, provider_template_id, "
        "provider_version_id) values (%s, %s, %s, %s, %s, %s) on conflict do nothing",
        [*values, version_id],
    )
    connection.execute(
        """
        insert into ledger.published_template_current
            (provider, template, locale, content_hash, provider_template_id)
        values (%s, %s, %s, %s, %s)
        on conflict (provider, template, locale) do update set
            content_hash = excluded.content_hash,
            provider_template_id = excluded.provider_template_id,
            recorded_at = now()
        """,
        values,
    )
