"""Asks SendGrid's Email Activity which mails of a step it took: what a restored ledger may have forgotten.

The API lists at most 1,000 mails a query, without pages, and allows 6 queries a minute. So a full answer is asked for
again in halves of its time, and below a second by the last digits of our message ids. What a mail's custom arguments
were is told only one mail at a time, which nobody can wait for; the list tells its address, and that is enough.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.client import HTTPException
from typing import Any

import orjson
from python_http_client.exceptions import HTTPError
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt

from safar.delivery.sendgrid_client import open_sendgrid
from safar.errors import ConfigurationError, SafarError
from safar.feedback.settings import SENDGRID
from safar.feedback.suppressions import find_wait
from safar.workspace import Workspace

LIMIT = 1000
ATTEMPTS = 10
KEPT = timedelta(days=30)
"""How long the provider keeps activity."""
SECOND = timedelta(seconds=1)
DIGITS = "0123456789abcdef"


@dataclass(frozen=True)
class SentMail:
    """One mail that the provider took. ``email`` is personal data: hash it before it goes anywhere."""

    provider_message_id: str
    email: str
    seen_at: datetime
    """When its last event happened, by the provider's clock."""

    @property
    def call_id(self) -> str:
        """The X-Message-Id that the call which carried it was answered with."""
        return self.provider_message_id.split(".", 1)[0]


class ActivityReader:
    """Reads the activity at the host of connection sendgrid."""

    def __init__(self, workspace: Workspace, sleep: Callable[[float], None] = time.sleep) -> None:
        self._client = open_sendgrid(workspace.settings, workspace.connections.get(SENDGRID))
        self._ask_patiently = Retrying(
            retry=retry_if_exception(is_passing), stop=stop_after_attempt(ATTEMPTS), wait=wait_as_told, sleep=sleep
        )

    def read(self, campaign: str, step: str, since: datetime, until: datetime) -> Iterator[list[SentMail]]:
        """Yields every mail of the step that had an event from ``since`` up to ``until``, whole seconds, both included.

        Raises:
            SafarError: the provider refuses, or does not answer after some attempts.
        """
        condition = f'Contains(categories,"{campaign}") AND Contains(categories,"{step}")'
        yield from self._read_window(condition, since.replace(microsecond=0), until.replace(microsecond=0))

    def _read_window(self, condition: str, since: datetime, until: datetime) -> Iterator[list[SentMail]]:
        span = f'last_event_time BETWEEN TIMESTAMP "{_write(since)}" AND TIMESTAMP "{_write(until)}"'
        mails = self._ask(f"{span} AND {condition}")
        if len(mails) < LIMIT:
            yield mails
        elif since < until:
            middle = since + (until - since) / 2
            middle = middle.replace(microsecond=0)
            yield from self._read_window(condition, since, middle)
            yield from self._read_window(condition, middle + SECOND, until)
        else:
            yield from self._read_second(f"{span} AND {condition}", "")

    def _read_second(self, query: str, ending: str) -> Iterator[list[SentMail]]:
        for digit in DIGITS:
            longer = digit + ending
            mails = self._ask(f"{query} AND unique_args['message_id'] LIKE \"%{longer}\"")
            if len(mails) < LIMIT:
                yield mails
            else:
                yield from self._read_second(query, longer)

    def _ask(self, query: str) -> list[SentMail]:
        try:
            answer = self._ask_patiently(self._get, query)
        except HTTPError as error:
            raise _explain_refusal(error) from error
        except (HTTPException, OSError) as error:
            raise SafarError(
                f"SendGrid's activity did not answer {ATTEMPTS} times ({type(error).__name__}). Everything stays "
                "paused; run `safar reconcile` again."
            ) from error
        try:
            return [_read_mail(row) for row in orjson.loads(answer)["messages"]]
        except (KeyError, TypeError, ValueError) as error:
            raise SafarError("SendGrid's activity answered in a form that is not known.") from error

    def _get(self, query: str) -> bytes:
        body: bytes = self._client.messages.get(query_params={"query": query, "limit": LIMIT}).body
        return body


def is_passing(error: BaseException) -> bool:
    """Whether the same question may be answered a little later."""
    if isinstance(error, HTTPError):
        return bool(error.status_code == 429 or error.status_code >= 500)
    return isinstance(error, HTTPException | OSError)


def wait_as_told(state: RetryCallState) -> float:
    """Seconds until the provider's limit is reset, else longer each time."""
    error = state.outcome.exception() if state.outcome else None
    return find_wait(error, state.attempt_number, datetime.now(UTC)) if isinstance(error, Exception) else 1.0


def hash_mails(mails: Sequence[SentMail], hash_email: Callable[[str], str | None]) -> list[tuple[Any, ...]]:
    """Rows of (provider_message_id, call_id, address_hash, seen_at); a mail without an address of ours has none."""
    return [
        (mail.provider_message_id, mail.call_id, hashed, mail.seen_at)
        for mail in mails
        if (hashed := hash_email(mail.email)) is not None
    ]


def _read_mail(row: dict[str, Any]) -> SentMail:
    seen_at = datetime.fromisoformat(str(row["last_event_time"])).astimezone(UTC)
    return SentMail(str(row["msg_id"]), str(row["to_email"]), seen_at)


def _write(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _explain_refusal(error: HTTPError) -> SafarError:
    if error.status_code in (401, 403):
        return ConfigurationError(
            f"SendGrid answers {error.status_code} when asked for its Email Activity. Give the API key of connection "
            f"{SENDGRID} the scope messages.read, and the account the add-on for its activity history, then run "
            "`safar reconcile` again. Everything stays paused."
        )
    return SafarError(
        f"SendGrid refused to list its Email Activity with status {error.status_code}. Everything stays paused; "
        "run `safar reconcile` again."
    )
