"""E-mail through SendGrid's mail/send with dynamic templates, up to 1,000 people in a call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote
from uuid import UUID

from python_http_client.exceptions import HTTPError

from safar.delivery.channel import Answer, CallGroup, Misconfigured, OutgoingMessage, Refused
from safar.delivery.guard import allowed_recipients, is_live, read_host
from safar.delivery.harmless_fields import neutralise_fields
from safar.delivery.publishing import list_published
from safar.delivery.sendgrid_answers import DOUBTFUL, read_acceptance, read_failure, read_refusal
from safar.delivery.sendgrid_client import open_sendgrid
from safar.delivery.template_files import choose_locale
from safar.delivery.unsubscribe_tokens import sign_confirmation_token, sign_unsubscribe_token
from safar.errors import ConfigurationError
from safar.outbound import ForbiddenAddress
from safar.workspace import INTAKE, Workspace

CONN_ID = "sendgrid"
# What a URL may hold; a bracket or a quote would end the header or the attribute that it stands in.
URL_SIGNS = ":/?#[]@!$&*+,;=%-._~"
ONE_CLICK = "List-Unsubscribe=One-Click"


class SendGridChannel:
    """The channel ``email``. Holds no connection of its own between calls, so threads may share it."""

    name = "email"
    provider = "sendgrid"
    call_limit = 1000

    def __init__(
        self,
        client: Any,
        *,
        sender: dict[str, str],
        intake_url: str,
        token_key: str,
        templates: dict[tuple[str, str], str],
        default_locale: str,
        recipients: frozenset[str] | None = None,
        is_live: bool = True,
    ) -> None:
        """
        Args:
            templates: SendGrid's template id by (template, locale).
            recipients: the only addresses that may be written to; None means everybody.
        """
        self._client = client
        self._sender = sender
        self._token_key = token_key
        self._intake_url = intake_url
        self._templates = templates
        self._default_locale = default_locale
        self._recipients = recipients
        self.is_live = is_live

    @classmethod
    def open(cls, workspace: Workspace, *, default_locale: str) -> SendGridChannel:
        """Opens the channel with the templates that are published now.

        Raises:
            ConfigurationError: a connection lacks something, or the environment may not call the host.
        """
        connection = workspace.connections.get(CONN_ID)
        intake = workspace.connections.get(INTAKE)
        read_host(intake.base_url, INTAKE)
        sender = {"email": str(connection.extra.get("from_email") or "")}
        if not sender["email"]:
            raise ConfigurationError(
                f"Connection {CONN_ID!r} names no sender. Set from_email (and from_name) in its extra."
            )
        if connection.extra.get("from_name"):
            sender["name"] = str(connection.extra["from_name"])
        return cls(
            open_sendgrid(workspace.settings, connection),
            sender=sender,
            intake_url=quote(intake.base_url, safe=URL_SIGNS),
            token_key=intake.secret,
            templates=list_published(workspace, cls.provider),
            default_locale=default_locale,
            recipients=allowed_recipients(workspace.settings, connection),
            is_live=is_live(workspace.settings, connection),
        )

    def send(self, group: CallGroup, messages: Sequence[OutgoingMessage]) -> Answer:
        """Makes one call; see `safar.delivery.channel.Channel`."""
        refused = self._find_forbidden(messages)
        if refused:
            return Refused("the address is not in allow_recipients", refused, is_certain=True)
        template_id = self._find_template(group)
        if template_id is None:
            return Misconfigured(
                f"Template {group.template!r} is not published. Add include/templates/{group.template}/"
                f"{self._default_locale}.mjml; a dispatch publishes it. Every message stays planned."
            )
        body = self.write_body(group, messages, template_id)
        try:
            response = self._client.mail.send.post(request_body=body)
        except HTTPError as error:
            return read_refusal(error, CONN_ID, len(messages))
        except DOUBTFUL as error:
            return read_failure(error, CONN_ID)
        except ForbiddenAddress as error:
            return Misconfigured(f"{error} Every message stays planned.")
        return read_acceptance(response)

    def write_body(self, group: CallGroup, messages: Sequence[OutgoingMessage], template_id: str) -> dict[str, Any]:
        """The JSON of one call. Categories and custom_args hold no personal data: SendGrid keeps them for long."""
        return {
            "from": self._sender,
            "template_id": template_id,
            "categories": [group.campaign, group.step],
            "personalizations": [self._write_personalization(message) for message in messages],
        }

    def _write_personalization(self, message: OutgoingMessage) -> dict[str, Any]:
        links = self._write_links(message.message_id)
        return {
            "to": [{"email": message.address}],
            "dynamic_template_data": {**neutralise_fields(message.fields), **links},
            "custom_args": {"message_id": str(message.message_id)},
            "headers": {"List-Unsubscribe": f"<{links['unsubscribe_url']}>", "List-Unsubscribe-Post": ONE_CLICK},
        }

    def _write_links(self, message_id: UUID) -> dict[str, str]:
        """A confirmation link is of use only in a mail that asks for one; the intake knows which those are."""
        token = sign_unsubscribe_token(self._token_key, message_id)
        return {
            "unsubscribe_url": f"{self._intake_url}/unsubscribe/{token}",
            "preferences_url": f"{self._intake_url}/preferences/{token}",
            "confirm_url": f"{self._intake_url}/confirm/{sign_confirmation_token(self._token_key, message_id)}",
        }

    def _find_template(self, group: CallGroup) -> str | None:
        locales = [locale for template, locale in self._templates if template == group.template]
        locale = choose_locale(group.locale, locales, self._default_locale)
        return None if locale is None else self._templates[group.template, locale]

    def _find_forbidden(self, messages: Sequence[OutgoingMessage]) -> dict[int, str]:
        if self._recipients is None:
            return {}
        return {
            position: "not in allow_recipients"
            for position, message in enumerate(messages)
            if message.address not in self._recipients
        }
